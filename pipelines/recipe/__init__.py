"""What a run trains, and how: network, widths, penalty, schedules."""
