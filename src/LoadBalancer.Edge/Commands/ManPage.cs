using System.CommandLine;
using System.CommandLine.Help;
using System.Text;

namespace LoadBalancer.Edge.Commands;

/// <summary>The manual page (man(7)), made from the commands themselves, so that it says what they say.</summary>
internal static class ManPage
{
    private const string Rest = """
        .SH FILES
        .TP
        .I ./lb.json
        Configuration, where no other is named; else
        .IR /etc/lb/lb.json .
        .TP
        .I $XDG_RUNTIME_DIR/lb/admin.sock
        Admin listener, unless the configuration says otherwise; for root
        .IR /run/lb/admin.sock .
        .SH SIGNALS
        .TP
        .BR SIGTERM ", " SIGINT
        Accept nothing new and let requests in flight finish; a second one cuts them.
        .SH ENVIRONMENT
        .TP
        .B NOTIFY_SOCKET
        Set by systemd: is told when the service is ready and when it stops.
        .TP
        .BR WATCHDOG_USEC ", " WATCHDOG_PID
        Set by systemd: how often it is to be told that the event loops turn.
        .SH EXIT STATUS
        .TP
        .B 0
        All went well.
        .TP
        .B 1
        A bad configuration, an address in use, or a failure while running.
        .TP
        .B 2
        The command line is wrong.

        """;

    internal static string Create(RootCommand root)
    {
        var page = new StringBuilder();
        page.Append($".TH LB 1 \"\" \"lb {Escape(ProductVersion.Text)}\" \"User Commands\"\n");
        page.Append($".SH NAME\nlb \\- {Escape(root.Description!["lb: ".Length..].TrimEnd('.'))}\n");
        page.Append(".SH SYNOPSIS\n.B lb\n.I command\n.RI [ option ...]\n");
        Verbatim(page, CommandLine.FirstSteps);
        page.Append(".SH COMMANDS\n");
        foreach (Command command in root.Subcommands) Append(page, "lb", command);
        page.Append(Rest.ReplaceLineEndings("\n"));
        return page.ToString();
    }

    private static void Append(StringBuilder page, string parent, Command command)
    {
        if (command.Hidden) return;
        string name = $"{parent} {command.Name}";
        page.Append($".SS {Escape(name)}");
        foreach (Argument argument in command.Arguments) page.Append($" {Escape(argument.Arity.MinimumNumberOfValues == 0 || argument.HasDefaultValue ? $"[{argument.Name}]" : argument.Name)}");
        page.Append('\n');
        page.Append($"{Escape(command.Description ?? "")}\n");
        foreach (Argument argument in command.Arguments) page.Append($".TP\n.I {Escape(argument.Name)}\n{Escape(argument.Description ?? "")}\n");
        foreach (Option option in command.Options)
        {
            if (option.Hidden || option is HelpOption) continue;
            string names = string.Join(", ", option.Aliases.Order(StringComparer.Ordinal).Prepend(option.Name));
            string value = option.ValueType == typeof(bool) ? "" : $" {(option.HelpName ?? option.Name.TrimStart('-'))}";
            page.Append($".TP\n.B {Escape(names)}{Escape(value)}\n{Escape(option.Description ?? "")}\n");
        }
        if (command is ExplainedCommand explained) Verbatim(page, explained.Explanation);
        foreach (Command inner in command.Subcommands) Append(page, name, inner);
    }

    private static void Verbatim(StringBuilder page, string text)
    {
        page.Append(".PP\n.nf\n");
        foreach (string line in text.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n')) page.Append(Escape(line)).Append('\n');
        page.Append(".fi\n");
    }

    // groff_man(7): "-" alone is a hyphen, and a line that begins with "." or "'" is a request.
    private static string Escape(string text)
    {
        text = text.ReplaceLineEndings(" ").Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
        return text is ['.' or '\'', ..] ? $"\\&{text}" : text;
    }
}
