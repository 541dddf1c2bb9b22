using System.CommandLine;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb man</c></summary>
internal static class ManCommand
{
    internal static Command Create()
    {
        var command = new ExplainedCommand("man", "Prints the manual page, with every command and option.", """
            Examples:
              lb man | man -l -
              lb man > /usr/local/share/man/man1/lb.1
            """);
        command.SetAction(parsed =>
        {
            Console.Out.Write(ManPage.Create((RootCommand)parsed.RootCommandResult.Command));
            return ExitCode.Ok;
        });
        return command;
    }
}
