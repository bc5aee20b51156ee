"""What is asked of a cluster and done to it: the one room that speaks to Kubernetes.

`cluster` is the connection and `kinds` names what is asked for. What is decided, is decided with
values that are made of the answers.
"""
