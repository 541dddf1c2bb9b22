using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Edge.Commands;

namespace LoadBalancer.Edge;

/// <summary>The commands of <c>lb</c>.</summary>
internal static class CommandLine
{
    internal const string FirstSteps = """
        First steps:
          lb demo                                        three destinations and a balancer, to look at
          lb run --to localhost:5000,localhost:5001      spread :8080 over two servers, no file needed
          lb init && lb check && lb run                  the same with a configuration file
        """;

    internal static async Task<int> RunAsync(string[] args)
    {
        RootCommand root = Build();
        ParseResult parsed = root.Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            if (args.Length == 0)
            {
                await root.Parse(["--help"]).InvokeAsync();
                return ExitCode.Usage;
            }
            foreach (string message in Messages(root, parsed)) Console.Error.WriteLine($"lb: {message}");
            Console.Error.WriteLine($"Try 'lb {CommandName(parsed)}--help'.");
            return ExitCode.Usage;
        }
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null, // signals are ours: the first one drains
            });
        }
        catch (Exception e)
        {
            Console.Error.WriteLine($"lb: {e}"); // a bug: everything expected is a line of its own
            return ExitCode.Problem;
        }
    }

    internal static RootCommand Build()
    {
        var root = new RootCommand("lb: an HTTP/1.1 load balancer.");
        root.Subcommands.Add(DemoCommand.Create());
        root.Subcommands.Add(RunCommand.Create());
        root.Subcommands.Add(ReloadCommand.Create());
        root.Subcommands.Add(UpgradeCommand.Create());
        root.Subcommands.Add(TopCommand.Create());
        root.Subcommands.Add(ReadyCommand.Create());
        root.Subcommands.Add(DestinationsCommand.Create());
        root.Subcommands.Add(LimitsCommand.Create());
        root.Subcommands.Add(TraceCommand.Create());
        root.Subcommands.Add(CertCommand.Create());
        root.Subcommands.Add(CacheCommand.Create());
        root.Subcommands.Add(CheckCommand.Create());
        root.Subcommands.Add(ExplainCommand.Create());
        root.Subcommands.Add(TestCommand.Create());
        root.Subcommands.Add(InitCommand.Create());
        root.Subcommands.Add(ConvertCommand.Create());
        root.Subcommands.Add(SchemaCommand.Create());
        root.Subcommands.Add(TypesCommand.Create());
        root.Subcommands.Add(SimulateCommand.Create());
        root.Subcommands.Add(BenchCommand.Create());
        root.Subcommands.Add(CompletionCommand.Create());
        root.Subcommands.Add(ManCommand.Create());
        root.Subcommands.Add(VersionCommand.Create());
        foreach (HelpOption help in root.Options.OfType<HelpOption>()) help.Action = new ExplainedHelp((HelpAction)help.Action!, FirstSteps);
        // "lb version" says more.
        foreach (var option in root.Options.OfType<VersionOption>().ToArray()) root.Options.Remove(option);
        return root;
    }

    // A mistyped command is one fault, not the two that the parser sees.
    private static IEnumerable<string> Messages(RootCommand root, ParseResult parsed)
    {
        if (parsed.CommandResult.Command is RootCommand && parsed.UnmatchedTokens is [{ } typed, ..] && !typed.StartsWith('-'))
            return [$"unknown command {CharacterText.Quote(typed)}{Suggestion.Text(typed, [.. root.Subcommands.Select(c => c.Name)])}"];
        return parsed.Errors.Select(e => e.Message);
    }

    // From below the root: "destinations drain ".
    private static string CommandName(ParseResult parsed)
    {
        string name = "";
        for (SymbolResult? result = parsed.CommandResult; result is CommandResult { Command: not RootCommand } command; result = result.Parent) name = $"{command.Command.Name} {name}";
        return name;
    }
}
