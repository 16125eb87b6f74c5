SELECT origin, high, bits FROM origins
