namespace LoadBalancer.Edge.Conversion.Nginx;

/// <summary>One directive with its arguments and, if it has one, its block.</summary>
internal sealed class NginxDirective(string name, string[] args, string file, int line)
{
    internal string Name { get; } = name;

    internal string[] Args { get; } = args;

    internal string File { get; } = file;

    internal int Line { get; } = line;

    /// <summary>Null for one that ends with ";".</summary>
    internal List<NginxDirective>? Block { get; set; }

    /// <summary>Whether something became of it. What is left at the end is told of.</summary>
    internal bool IsUsed { get; set; }

    /// <summary>Where it stands, for comments.</summary>
    internal string Place => $"{Path.GetFileName(File)}:{Line}";

    /// <summary>The n-th argument; empty where there is none.</summary>
    internal string Arg(int index) => index < Args.Length ? Args[index] : "";

    /// <summary>As it was written, shortened.</summary>
    public override string ToString()
    {
        string text = string.Join(' ', Args.Prepend(Name)).ReplaceLineEndings(" ");
        if (text.Length > 100) text = string.Concat(text.AsSpan(0, 97), "...");
        return Block is null ? text : text + " { }";
    }
}
