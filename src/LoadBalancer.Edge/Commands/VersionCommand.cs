using System.CommandLine;
using System.Runtime.InteropServices;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb version</c></summary>
internal static class VersionCommand
{
    internal static Command Create()
    {
        var command = new Command("version", "Prints version, runtime and platform.");
        command.SetAction(_ =>
        {
            Console.Out.WriteLine($"lb {ProductVersion.Text} ({RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier})");
            return ExitCode.Ok;
        });
        return command;
    }
}
