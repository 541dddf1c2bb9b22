using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace LoadBalancer.Edge.Commands;

/// <summary>A command with examples, which stand in its own help but not in the list of all commands.</summary>
internal sealed class ExplainedCommand(string name, string description, string explanation) : Command(name, description)
{
    internal string Explanation => explanation;
}

/// <summary>The usual help, then the examples.</summary>
internal sealed class ExplainedHelp(HelpAction help, string rootExplanation) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        int result = help.Invoke(parseResult);
        string? explanation = parseResult.CommandResult.Command switch
        {
            ExplainedCommand command => command.Explanation,
            RootCommand => rootExplanation,
            _ => null,
        };
        if (explanation is not null) parseResult.InvocationConfiguration.Output.WriteLine(explanation);
        return result;
    }
}
