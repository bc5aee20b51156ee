"""`kinora doctor --cluster`: findings from what a cluster says of itself.

`reading` asks the cluster, everything else decides with values.
"""
