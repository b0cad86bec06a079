"""The real engines on one machine, from packages: installed, started, watched and stopped.

known      the four of them                            packages  Python packages by hash, on their own
triton milvus opa postgres                             where each is had, and how it is started
unit       one process to run, and how its health is asked
process    starting and ending processes, and knowing them again
loopback   a server that listens everywhere, made to be heard on loopback only
stack      up, status, down                            state     what was started, in a file
plan       the engines, then Beholden's services over them
"""
