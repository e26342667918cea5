"""Where samples come from: the simulator now, whatever else is a `source.SampleSource`."""
