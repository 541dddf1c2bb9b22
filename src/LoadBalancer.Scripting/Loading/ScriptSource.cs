using LoadBalancer.Core.Files;
using LoadBalancer.Scripting.Running;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Scripting.Loading;

/// <summary>
/// The script of a policy as it is on disk: looked at from time to time, on the thread pool, and replaced as a whole. What cannot be used is told once, and what was before stays.
/// </summary>
internal sealed class ScriptSource : IDisposable
{
    private readonly ScriptHost _host;
    private readonly ScriptFolder _folder;
    private readonly string _file;
    private readonly Action<ScriptEngine> _replaced;
    private readonly ScriptMetrics _metrics;
    private readonly ILogger _logger;
    private readonly FileState _state;
    private readonly FileLookTimer _timer;
    private volatile LoadedScript? _current;

    /// <param name="host">What engines have in common.</param>
    /// <param name="file">The policy's file.</param>
    /// <param name="replaced">Takes an engine of a new program, before that is in use. Any thread.</param>
    /// <param name="metrics">Is told of changes.</param>
    /// <param name="logger">Where it logs.</param>
    /// <exception cref="ScriptLoadException">There is nothing to begin with.</exception>
    internal ScriptSource(ScriptHost host, string file, Action<ScriptEngine> replaced, ScriptMetrics metrics, ILogger logger)
    {
        _host = host;
        _file = file;
        _folder = new ScriptFolder(file);
        _replaced = replaced;
        _metrics = metrics;
        _logger = logger;
        _state = new FileState(host.Time);
        _timer = new FileLookTimer(host.Time, () => Look(settles: true) == SourceChange.Unsettled, e => ScriptLog.LookFailed(logger, e));
        if (Look(settles: false) != SourceChange.Replaced) throw new ScriptLoadException($"{file} {_state.Problem}");
        _timer.Start();
    }

    internal LoadedScript Current => _current!;

    /// <summary>Looks now. With <paramref name="settles"/> what is new is taken only when two looks have found the same.</summary>
    internal SourceChange Look(bool settles)
    {
        bool isRead = ScriptProgram.TryReadFiles(_folder, out SortedDictionary<string, byte[]> files, out string error);
        bool isFirst = _current is null;
        // Names too: what was in one file may be in another now.
        byte[][]? contents = isRead ? [.. files.Select(file => System.Text.Encoding.UTF8.GetBytes(file.Key)), .. files.Values] : null;
        SourceChange change = _state.Look(contents, error, settles, (byte[][] _, out string problem) => TryLoad(files, out problem));
        switch (change)
        {
            case SourceChange.Replaced when !isFirst:
                ScriptLog.Replaced(_logger, _host.Name, _file, files.Count);
                _metrics.OnReload(isUsed: true);
                break;
            case SourceChange.Refused when !isFirst:
                ScriptLog.Refused(_logger, _host.Name, _file, _state.Problem!);
                _metrics.OnReload(isUsed: false);
                break;
            case SourceChange.Restored:
                ScriptLog.Restored(_logger, _host.Name, _file);
                break;
        }
        return change;
    }

    /// <summary>Makes a program of the files and tries it; null with what is wrong.</summary>
    internal static ScriptEngine? TryMake(ScriptHost host, ScriptFolder folder, SortedDictionary<string, byte[]> files, out string error)
    {
        try
        {
            ScriptProgram program = ScriptProgram.Parse(folder.EntryName, files, host.Limits.RunTimeMax, isSealed: !host.IsIsolated);
            error = "";
            return new ScriptEngine(program, host);
        }
        catch (ScriptLoadException e)
        {
            error = $"cannot be used: {e.Message}";
            return null;
        }
    }

    private bool TryLoad(SortedDictionary<string, byte[]> files, out string error)
    {
        if (TryMake(_host, _folder, files, out error) is not { } engine) return false;
        if (engine.Program.Variables.Count > 0 && !_host.IsIsolated) ScriptLog.HasVariables(_logger, _host.Name, string.Join(", ", engine.Program.Variables));
        _replaced(engine);
        _current = new LoadedScript(engine.Program, engine.OnRequest is not null, engine.OnResponse is not null);
        return true;
    }

    /// <summary>Ends the looking. A look under way is not waited for.</summary>
    public void Dispose() => _timer.Dispose();
}
