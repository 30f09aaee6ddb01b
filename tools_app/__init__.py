"""What an administrator of the MCP server sees and manages."""
