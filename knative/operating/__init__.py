"""What is asked of a cluster and done to it: the one room that speaks to Kubernetes.

`cluster` is the connection, `kinds` names what is asked for, `objects` turns answers into values.
"""
