"""What a roll stores in the table: its record, its lease, requests, the history and timings."""
