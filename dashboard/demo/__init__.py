"""An invented VOVE, invented businesses, and handlers of which some fail: `kybdesk demo`."""
