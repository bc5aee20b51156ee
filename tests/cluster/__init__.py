"""What is true on a real cluster: `make cluster-test` starts one and runs these."""
