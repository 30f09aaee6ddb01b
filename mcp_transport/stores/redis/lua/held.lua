-- Whether somebody reads a stream. ARGV: session, stream.
return reader_of(state_key(ARGV[1], ARGV[2]), now_ms()) and 1 or 0
