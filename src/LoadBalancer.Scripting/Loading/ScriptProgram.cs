using System.Text;
using Acornima.Ast;
using Jint;

namespace LoadBalancer.Scripting.Loading;

/// <summary>The modules of a policy, parsed once for all engines: its file, and what that imports from its folder. Immutable.</summary>
internal sealed class ScriptProgram
{
    internal const string RequestHook = "onRequest", ResponseHook = "onResponse";
    internal const int FilesMax = 64, BytesMax = 1 << 20;

    /// <summary>The module that freezes; only what is added to a module imports it.</summary>
    internal const string SealModule = "lb:seal";

    private readonly Dictionary<string, Prepared<Module>> _modules;

    private ScriptProgram(string entryName, Dictionary<string, Prepared<Module>> modules, List<string> variables)
    {
        EntryName = entryName;
        _modules = modules;
        Variables = variables;
    }

    internal string EntryName { get; }

    internal string EntrySpecifier => "./" + EntryName;

    /// <summary>Variables of modules' top levels, as "gateway.js: count".</summary>
    internal IReadOnlyList<string> Variables { get; }

    internal bool TryGet(string name, out Prepared<Module> module) => _modules.TryGetValue(name, out module);

    /// <summary>Reads the file and what it imports, by name in the folder; false with what is wrong.</summary>
    internal static bool TryReadFiles(ScriptFolder folder, out SortedDictionary<string, byte[]> files, out string error)
    {
        files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        var wanted = new Queue<(string Name, string? By)>([(folder.EntryName, null)]);
        int bytes = 0;
        while (wanted.TryDequeue(out (string Name, string? By) next))
        {
            if (files.ContainsKey(next.Name)) continue;
            if (files.Count == FilesMax)
            {
                error = $"imports more than {FilesMax} files";
                return false;
            }
            if (!folder.TryRead(next.Name, out byte[]? content, out error))
            {
                if (next.By is not null) error = $"cannot be used: {next.By} imports {next.Name}, which {error}";
                return false;
            }
            files.Add(next.Name, content);
            if ((bytes += content.Length) > BytesMax)
            {
                error = $"and what it imports are larger than {BytesMax} bytes";
                return false;
            }
            if (!TryParse(next.Name, Text(content), TimeSpan.FromSeconds(1), out Prepared<Module> module, out error)) return false;
            ModuleFacts facts = ModuleFacts.Of(module.Program!);
            foreach (string specifier in facts.Imports)
            {
                if (ScriptFolder.Resolve(next.Name, specifier, out error) is not { } name)
                {
                    error = $"cannot be used: {next.Name}: {error}";
                    return false;
                }
                wanted.Enqueue((name, next.Name));
            }
        }
        error = "";
        return true;
    }

    /// <summary>Makes a program of files.</summary>
    /// <param name="entryName">Name of the policy's own.</param>
    /// <param name="files">By name.</param>
    /// <param name="regexTimeout">Time for one regular expression.</param>
    /// <param name="isSealed">Whether what their top levels hold is frozen once it is set up.</param>
    /// <exception cref="ScriptLoadException">They cannot be used.</exception>
    internal static ScriptProgram Parse(string entryName, IReadOnlyDictionary<string, byte[]> files, TimeSpan regexTimeout, bool isSealed)
    {
        var modules = new Dictionary<string, Prepared<Module>>(StringComparer.Ordinal);
        var variables = new List<string>();
        foreach ((string name, byte[] content) in files)
        {
            string text = Text(content);
            if (!TryParse(name, text, regexTimeout, out Prepared<Module> module, out string error)) throw new ScriptLoadException(error);
            ModuleFacts facts = ModuleFacts.Of(module.Program!);
            if (facts.Problem is { } problem) throw new ScriptLoadException($"{name}:{problem}");
            foreach (string variable in facts.Variables) variables.Add($"{name}: {variable}");
            // Behind the module's end, so that no line moves. An import may stand anywhere.
            if (isSealed && facts.Constants.Count > 0)
            {
                string sealing = $"\n;import lb$seal from \"{SealModule}\"; lb$seal([{string.Join(", ", facts.Constants)}]);";
                if (!TryParse(name, text + sealing, regexTimeout, out module, out error)) throw new ScriptLoadException(error);
            }
            modules.Add(name, module);
        }
        return new ScriptProgram(entryName, modules, variables);
    }

    private static bool TryParse(string name, string text, TimeSpan regexTimeout, out Prepared<Module> module, out string error)
    {
        error = "";
        try
        {
            module = Engine.PrepareModule(text, name, new ModulePreparationOptions { ParsingOptions = new ModuleParsingOptions { RegexTimeout = regexTimeout, CompileRegex = false } });
            return true;
        }
        catch (ScriptPreparationException e)
        {
            module = default;
            error = $"cannot be used: {name}: {(e.InnerException ?? e).Message.ReplaceLineEndings(" ")}";
            return false;
        }
    }

    // With a mark of the byte order, or without.
    private static string Text(byte[] content) => Encoding.UTF8.GetString(content.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? content.AsSpan(3) : content);
}
