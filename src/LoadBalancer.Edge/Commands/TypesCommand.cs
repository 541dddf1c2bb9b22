using System.CommandLine;
using LoadBalancer.Scripting;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb types</c></summary>
internal static class TypesCommand
{
    internal static Command Create()
    {
        var output = new Option<string?>("--output", "-o") { Description = "File to write; left out, they are printed" };
        var command = new ExplainedCommand("types", "Prints the TypeScript types of what scripts see, for editors and the TypeScript compiler.", """
            Example:
              lb types -o lb.d.ts     then '/// <reference path="./lb.d.ts" />' in a script has editors complete it,
              npx -p typescript tsc --noEmit --checkJs --strict --lib es2023 --target es2023 gateway.js     checks it
            """) { output };
        command.SetAction(parsed => Write(parsed.GetValue(output)));
        return command;
    }

    private static int Write(string? path)
    {
        if (path is null)
        {
            Console.Out.Write(ScriptTypes.Text);
            return ExitCode.Ok;
        }
        try
        {
            File.WriteAllText(path, ScriptTypes.Text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"lb: cannot write {path}: {e.Message.ReplaceLineEndings(" ")}");
            return ExitCode.Problem;
        }
        return ExitCode.Ok;
    }
}
