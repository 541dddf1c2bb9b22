using System.CommandLine;
using LoadBalancer.Edge.Conversion;
using LoadBalancer.Edge.Conversion.Nginx;
using LoadBalancer.Edge.Conversion.Yarp;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb convert</c></summary>
internal static class ConvertCommand
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly Option<string> s_output = new("--output", "-o") { Description = "File to write; \"-\" for standard output", DefaultValueFactory = _ => "lb.json", Recursive = true };
    private static readonly Option<bool> s_force = new("--force", "-f") { Description = "Overwrite a file that exists", Recursive = true };

    internal static Command Create() => new ExplainedCommand("convert", "Makes a configuration for lb of one of another balancer, as far as it goes, and tells what it has left out.", """
        Examples:
          lb convert nginx /etc/nginx/nginx.conf && lb check
          lb convert yarp appsettings.json -o edge.json

        What was left out, and what is not quite the same, is listed with its line on standard error, and at the top of the file.
        Exit codes: 0 everything has its counterpart, 1 the file cannot be read or written, 2 wrong usage, 3 written, but something is listed.
        """)
    {
        From("nginx", "Of nginx: nginx.conf with what it includes below its folder, or a file of sites-enabled.", "nginx.conf", NginxConverter.Convert),
        From("yarp", "Of YARP: the section ReverseProxy of an appsettings.json.", "appsettings.json", YarpConverter.Convert),
        s_output,
        s_force,
    };

    private static Command From(string name, string description, string example, Func<string, ConversionResult> convert)
    {
        var file = new Argument<string>("file") { Description = $"The file, such as {example}" };
        var command = new Command(name, description) { file };
        command.SetAction(parsed => Write(convert(parsed.GetValue(file)!), parsed.GetValue(s_output)!, parsed.GetValue(s_force)));
        return command;
    }

    private static int Write(ConversionResult result, string output, bool force)
    {
        foreach (ConversionFinding finding in result.Findings) Console.Error.WriteLine(DraftObject.Printable(finding.ToString()));
        if (result.Text is null) return ExitCode.Problem;
        if (output == "-") Console.Out.Write(result.Text);
        else
        {
            try
            {
                var options = new FileStreamOptions { Mode = force ? FileMode.Create : FileMode.CreateNew, Access = FileAccess.Write };
                if (result.HasPassword && !OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
                using var stream = new FileStream(output, options);
                if (result.HasPassword && !OperatingSystem.IsWindows()) File.SetUnixFileMode(stream.SafeFileHandle, OwnerOnly); // one that was there keeps its mode else
                using var writer = new StreamWriter(stream);
                writer.Write(result.Text);
            }
            catch (IOException) when (!force && File.Exists(output))
            {
                Console.Error.WriteLine($"lb: {output} exists already; '--force' overwrites it");
                return ExitCode.Problem;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Console.Error.WriteLine($"lb: cannot write {output}: {e.Message.ReplaceLineEndings(" ")}");
                return ExitCode.Problem;
            }
            string count = result.Findings.Count switch { 0 => "", 1 => "; 1 place to look at, see above", var many => $"; {many} places to look at, see above" };
            Console.Out.WriteLine($"wrote {output}{count}; then: lb check {output}");
        }
        return result.Findings.Count == 0 ? ExitCode.Ok : ExitCode.Partial;
    }
}
