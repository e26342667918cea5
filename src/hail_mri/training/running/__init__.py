"""What every run needs: its folder, its time, its checkpoints, its precision."""
