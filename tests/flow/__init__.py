"""The whole flow in memory: real handlers, a broker that follows the topology, and every fault."""
