using System.CommandLine;
using LoadBalancer.Hosting.Configuration;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb schema</c></summary>
internal static class SchemaCommand
{
    internal static Command Create()
    {
        var command = new ExplainedCommand("schema", "Prints the JSON Schema of the configuration file: every key with its meaning, default and range.", """
            Example:
              lb schema > lb.schema.json     then "$schema": "./lb.schema.json" in lb.json completes keys in editors
            """);
        command.SetAction(_ =>
        {
            Console.Out.Write(ConfigSchema.Text);
            return ExitCode.Ok;
        });
        return command;
    }
}
