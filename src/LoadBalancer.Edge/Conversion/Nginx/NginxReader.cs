using System.Text;

namespace LoadBalancer.Edge.Conversion.Nginx;

/// <summary>Reads nginx's configuration with what it includes, as far as that lies below the folder of the first file. All bounds are of all files together.</summary>
internal sealed class NginxReader
{
    internal const int FilesMax = 256, BytesMax = 4 * 1024 * 1024, DirectivesMax = 50_000, DepthMax = 16, ArgsMax = 512;

    private readonly string _root;
    private readonly List<ConversionFinding> _findings;
    private readonly HashSet<string> _open = new(StringComparer.Ordinal);
    private int _files, _directives;
    private long _bytes;

    private NginxReader(string root, List<ConversionFinding> findings)
    {
        _root = root;
        _findings = findings;
    }

    /// <summary>The directives at the top. What cannot be included is a finding.</summary>
    /// <exception cref="NginxSyntaxException">The text is no nginx configuration, or goes beyond the bounds; the message names the file where it is an included one.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    internal static List<NginxDirective> Read(string path, List<ConversionFinding> findings)
    {
        string full = Path.GetFullPath(path);
        var reader = new NginxReader(Real(Path.GetDirectoryName(full)!), findings);
        return reader.ReadFile(full, path, 0);
    }

    /// <summary>The same of a text alone, which includes nothing.</summary>
    internal static List<NginxDirective> Parse(string text, string name)
    {
        var reader = new NginxReader("/", []);
        return reader.Block(new NginxTokenizer(text), name, 0, isTop: true, includes: false);
    }

    private List<NginxDirective> ReadFile(string full, string shown, int depth)
    {
        if (++_files > FilesMax) throw new NginxSyntaxException(0, $"{shown}: more than {FilesMax} files are included");
        string text = File.ReadAllText(full, Encoding.UTF8);
        if ((_bytes += text.Length) > BytesMax) throw new NginxSyntaxException(0, $"{shown}: the files are larger than {BytesMax} characters together");
        if (!_open.Add(full)) throw new NginxSyntaxException(0, $"{shown}: includes itself");
        try
        {
            return Block(new NginxTokenizer(text), shown, depth, isTop: true, includes: true);
        }
        catch (NginxSyntaxException e) when (depth > 0 || _open.Count > 1)
        {
            throw new NginxSyntaxException(0, e.Line == 0 ? e.Message : $"{shown}:{e.Line}: {e.Message}");
        }
        finally
        {
            _open.Remove(full);
        }
    }

    private List<NginxDirective> Block(NginxTokenizer tokens, string file, int depth, bool isTop, bool includes)
    {
        var block = new List<NginxDirective>();
        while (true)
        {
            NginxToken first = tokens.Read();
            if (first.Kind == NginxTokenKind.End) return isTop ? block : throw new NginxSyntaxException(first.Line, "the text ends within a block; expected \"}\"");
            if (first.Kind == NginxTokenKind.Close) return !isTop ? block : throw new NginxSyntaxException(first.Line, "unexpected \"}\"");
            if (first.Kind != NginxTokenKind.Word) throw new NginxSyntaxException(first.Line, $"unexpected \"{first.Text}\"");
            if (++_directives > DirectivesMax) throw new NginxSyntaxException(first.Line, $"more than {DirectivesMax} directives");
            var args = new List<string>();
            NginxToken token;
            while ((token = tokens.Read()).Kind == NginxTokenKind.Word)
            {
                if (args.Count == ArgsMax) throw new NginxSyntaxException(token.Line, $"\"{first.Text}\" has more than {ArgsMax} arguments; is a \";\" missing?");
                args.Add(token.Text);
            }
            var directive = new NginxDirective(first.Text, [.. args], file, first.Line);
            if (token.Kind == NginxTokenKind.Open)
            {
                if (depth == DepthMax) throw new NginxSyntaxException(token.Line, $"blocks lie more than {DepthMax} deep");
                directive.Block = Block(tokens, file, depth + 1, isTop: false, includes);
            }
            else if (token.Kind != NginxTokenKind.Semicolon) throw new NginxSyntaxException(token.Line, $"\"{first.Text}\" does not end; expected \";\" or \"{{\"");
            if (includes && directive is { Name: "include", Args.Length: 1, Block: null }) Include(directive, block, depth);
            else block.Add(directive);
        }
    }

    private void Include(NginxDirective include, List<NginxDirective> into, int depth)
    {
        string pattern = Path.GetFullPath(include.Args[0], _root); // relative to the folder of the first file, as nginx has it
        string name = Path.GetFileName(pattern), folder = Path.GetDirectoryName(pattern) ?? "/";
        if (name == "mime.types") return; // types of files that nginx serves itself
        if (!IsBelow(Directory.Exists(folder) ? Real(folder) : folder))
        {
            _findings.Add(new(include.File, include.Line, $"{include}: is not below {_root}, and so not read"));
            return;
        }
        if (folder.AsSpan().ContainsAny("*?[")) _findings.Add(new(include.File, include.Line, $"{include}: only the last part of a path may have wildcards here"));
        else if (!name.AsSpan().ContainsAny("*?[")) Add(pattern);
        else if (Directory.Exists(folder))
            foreach (string file in Directory.EnumerateFiles(folder, name.Replace('[', '?').Replace(']', '?')).Order(StringComparer.Ordinal)) Add(file);

        void Add(string file)
        {
            string shown = Path.GetRelativePath(_root, file);
            if (!File.Exists(file)) _findings.Add(new(include.File, include.Line, $"{include}: {shown} does not exist"));
            else if (!IsBelow(Real(file))) _findings.Add(new(include.File, include.Line, $"{include}: {shown} leads out of {_root}, and so is not read"));
            else into.AddRange(ReadFile(file, shown, depth));
        }
    }

    private bool IsBelow(string path) => path == _root || path.StartsWith(_root.EndsWith('/') ? _root : _root + "/", StringComparison.Ordinal);

    // With every link on the way followed: sites-enabled has links to files, and a folder may be one.
    private static string Real(string path)
    {
        string real = "/";
        foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            real = Path.Combine(real, part);
            try
            {
                FileSystemInfo info = Directory.Exists(real) ? new DirectoryInfo(real) : new FileInfo(real);
                if (info.ResolveLinkTarget(returnFinalTarget: true) is { } target) real = target.FullName;
            }
            catch (IOException)
            {
                // A link into nowhere or into itself: "does not exist" is said of it.
            }
        }
        return real;
    }
}
