"""All that touches moto: functions that stand before its methods, each closing one gap between moto and AWS."""
