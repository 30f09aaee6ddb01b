-- End a session. ARGV: id.
end_session(ARGV[1], now_ms())
