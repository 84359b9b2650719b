"""All that touches moto: functions that run before its methods. Each closes one gap between moto and AWS."""
