"""The real engines on one machine, from packages: installed, started, watched and stopped.

engines    the four of them, and what each one stands in for
packages   Python packages into an environment of their own, by hash
triton milvus opa postgres   where each is found or had, and how it is started; one file each
services   Beholden's own services, each its own process over the engines
unit       one process to run, and how its health is asked
process    starting and ending processes, and knowing them again
loopback   a server that listens everywhere, made to be heard on loopback only
stack      the order: up, status, down
"""
