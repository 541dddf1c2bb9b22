namespace LoadBalancer.Hosting.Configuration;

/// <summary>One fault in a configuration file, with its place.</summary>
/// <param name="File">Name of the file as it was given.</param>
/// <param name="Line">From 1; 0 when the fault is of the file as a whole (missing, unreadable).</param>
/// <param name="Column">From 1, in characters (not bytes); 0 with <paramref name="Line"/> 0.</param>
/// <param name="Path">Path of the value, as in <c>routes.api.cluster</c>; empty at the root.</param>
/// <param name="Message">What is wrong, what was expected and, where it can be told, the fix. One line.</param>
public sealed record ConfigDiagnostic(string File, int Line, int Column, string Path, string Message)
{
    /// <summary>One line in the form editors and terminals turn into a link: <c>lb.json:3:5: routes.api: message</c>.</summary>
    public override string ToString()
    {
        string place = Line == 0 ? File : $"{File}:{Line}:{Column}";
        return Path.Length == 0 ? $"{place}: {Message}" : $"{place}: {Path}: {Message}";
    }
}
