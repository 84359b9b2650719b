"""What a roll keeps in the table: its record, its lease, requests, the history, how long things took."""
