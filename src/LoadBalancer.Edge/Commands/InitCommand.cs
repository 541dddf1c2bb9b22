using System.CommandLine;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb init</c></summary>
internal static class InitCommand
{
    internal static Command Create()
    {
        var file = new Argument<string>("file") { Description = "File to write", DefaultValueFactory = _ => "lb.json" };
        var force = new Option<bool>("--force", "-f") { Description = "Overwrite a file that exists" };
        var command = new ExplainedCommand("init", "Writes a commented configuration file to start from.", """
            Examples:
              lb init && lb check && lb run
              lb init /etc/lb/lb.json
            """) { file, force };
        command.SetAction(parsed => Write(parsed.GetValue(file)!, parsed.GetValue(force)));
        return command;
    }

    private static int Write(string path, bool force)
    {
        try
        {
            using var stream = new FileStream(path, force ? FileMode.Create : FileMode.CreateNew, FileAccess.Write);
            using var writer = new StreamWriter(stream);
            writer.Write(SampleConfig.Text);
        }
        catch (IOException) when (!force && File.Exists(path))
        {
            Console.Error.WriteLine($"lb: {path} exists already; '--force' overwrites it");
            return ExitCode.Problem;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"lb: cannot write {path}: {e.Message.ReplaceLineEndings(" ")}");
            return ExitCode.Problem;
        }
        Console.Out.WriteLine($"wrote {path}; edit its destinations, then: lb check {path} && lb run --config {path}");
        return ExitCode.Ok;
    }
}
