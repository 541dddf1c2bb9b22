using System.CommandLine;
using LoadBalancer.Hosting.Configuration;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb schema</c></summary>
internal static class SchemaCommand
{
    internal static Command Create()
    {
        var markdown = new Option<bool>("--markdown") { Description = "Print the same for people, in Markdown" };
        var command = new ExplainedCommand("schema", "Prints the JSON Schema of the configuration file: every key with its meaning, default and range.", """
            Examples:
              lb schema > lb.schema.json     then "$schema": "./lb.schema.json" in lb.json completes keys in editors
              lb schema --markdown           to read
            """) { markdown };
        command.SetAction(parsed =>
        {
            Console.Out.Write(parsed.GetValue(markdown) ? ConfigReference.Text : ConfigSchema.Text);
            return ExitCode.Ok;
        });
        return command;
    }
}
