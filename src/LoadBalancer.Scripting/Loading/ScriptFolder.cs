using System.Diagnostics.CodeAnalysis;
using LoadBalancer.Core.Files;

namespace LoadBalancer.Scripting.Loading;

/// <summary>The folder of a script, out of which no import leads: not by "..", not by an absolute path, not by a link.</summary>
internal sealed class ScriptFolder
{
    internal const int FileBytesMax = 256 * 1024;
    private const int LinksMax = 40; // as many as Linux follows

    private readonly string _root;

    /// <param name="entryFile">The policy's file.</param>
    internal ScriptFolder(string entryFile)
    {
        string full = Path.GetFullPath(entryFile);
        _root = Path.GetDirectoryName(full) ?? "/";
        EntryName = Path.GetFileName(full);
    }

    /// <summary>Name of the policy's file within the folder.</summary>
    internal string EntryName { get; }

    /// <summary>The name within the folder that an import means, "lib/rules.js"; null with what is wrong.</summary>
    /// <param name="importer">Name of the file that imports.</param>
    /// <param name="specifier">As it is written: "./rules.js", "../common.js".</param>
    /// <param name="error">What is wrong.</param>
    internal static string? Resolve(string importer, string specifier, out string error)
    {
        error = "";
        if (!specifier.StartsWith("./", StringComparison.Ordinal) && !specifier.StartsWith("../", StringComparison.Ordinal))
            error = $"cannot import \"{specifier}\": expected a path that begins with \"./\" or \"../\"";
        else if (specifier.AsSpan().IndexOfAny("\\\0?#") >= 0)
            error = $"cannot import \"{specifier}\": a path has no \"\\\", \"?\" or \"#\"";
        if (error.Length > 0) return null;
        var segments = new List<string>(importer.Split('/')[..^1]);
        foreach (string segment in specifier.Split('/'))
        {
            if (segment is "" or ".") continue;
            if (segment != "..") segments.Add(segment);
            else if (segments.Count > 0) segments.RemoveAt(segments.Count - 1);
            else
            {
                error = $"cannot import \"{specifier}\": it is outside the script's folder";
                return null;
            }
        }
        return string.Join('/', segments);
    }

    /// <summary>Reads a file; false with what is wrong, as an operator says it of the file.</summary>
    internal bool TryRead(string name, [NotNullWhen(true)] out byte[]? content, out string error)
    {
        content = null;
        string path = Path.Combine(_root, name);
        // The file of the policy itself is the operator's choice, wherever a link leads.
        if (name != EntryName && !IsWithin(path, out error)) return false;
        return WholeFile.TryRead(path, FileBytesMax, out content, out error);
    }

    private bool IsWithin(string path, out string error)
    {
        error = "";
        try
        {
            string root = RealPath(_root), real = RealPath(path);
            if (real.StartsWith(root.EndsWith('/') ? root : root + "/", StringComparison.Ordinal)) return true;
            error = "is a link that leads out of the script's folder";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = $"cannot be read: {WholeFile.Line(e)}";
        }
        return false;
    }

    private static string RealPath(string path)
    {
        var rest = new Stack<string>(path.Split('/').Reverse());
        string real = "/";
        int links = 0;
        while (rest.TryPop(out string? segment))
        {
            if (segment is "" or ".") continue;
            if (segment == "..")
            {
                real = Path.GetDirectoryName(real) ?? "/";
                continue;
            }
            string next = Path.Combine(real, segment);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }
            if (++links > LinksMax) throw new IOException("too many links");
            if (target.StartsWith('/')) real = "/";
            foreach (string part in target.Split('/').Reverse()) rest.Push(part);
        }
        return real;
    }
}
