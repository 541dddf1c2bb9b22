using System.CommandLine;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb limits</c></summary>
internal static class LimitsCommand
{
    internal static Command Create() => new ExplainedCommand("limits", "Shows what the limits of a running balancer have refused, and changes who is kept out of it.", $"""
        Examples:
          lb limits show
          lb limits show per-client --json
          lb limits ban 203.0.113.7                                  for an hour
          lb limits ban 2001:db8:1::/48 --for 1d --reason scans
          lb limits unban 203.0.113.7
          lb limits bans
          lb limits bans --json --admin unix:/run/lb/admin.sock

        Over TCP the token comes from the environment: {AdminAsk.TokenVariable}.
        Exit codes: 0 done, 1 refused or nobody there, 2 wrong usage.
        """) { LimitShowCommand.Create(), BanCommands.Ban(), BanCommands.Unban(), BanCommands.List(), AdminAsk.Admin, AdminAsk.Json };
}
