"""What makes promises come true: the waker, the workers, the sweeper and the supervisor."""
