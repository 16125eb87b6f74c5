"""What the trust run is made of: processes that may be killed at any moment, and a checker that then knows what must be there.

    readings.py   what sensors say, from a seed
    producer.py   a process that sends it, and keeps a journal of what it sent and of what it was told
    world.py      edges, a centre, a broker, links, disks, clocks
    chaos.py      what goes wrong
    evidence.py   everything that is there afterwards
    checker.py    whether it is what was acknowledged; written against the documentation, not against the program
    faults.py     faults to plant into the evidence, each of which the checker has to find
"""
