"""Whatever virtreg needs stalled, cut, slow, full, denied, restarted or killed, at every stage of
its work: no wrong byte, nothing verified lost, no answer later than the limits."""
