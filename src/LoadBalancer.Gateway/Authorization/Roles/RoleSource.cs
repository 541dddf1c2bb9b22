using LoadBalancer.Core.Files;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Gateway.Authorization.Roles;

/// <summary>The roles of a policy: those of the configuration and those of a file, which may change while they are used. Asked by any thread.</summary>
internal sealed class RoleSource : IDisposable
{
    private readonly IReadOnlyDictionary<string, RoleConfig> _fixed;
    private readonly string _policy;
    private readonly string? _file;
    private readonly ILogger _logger;
    private readonly FileState _state;
    private readonly FileLookTimer? _timer;
    private readonly Lock _looking = new();
    private RoleTable _table;

    /// <summary>Makes it, and reads its file.</summary>
    /// <exception cref="InvalidOperationException">The file cannot be used.</exception>
    internal RoleSource(string policy, AuthorizeConfig config, TimeProvider time, ILogger logger)
    {
        (_policy, _fixed, _logger) = (policy, config.Roles, logger);
        _file = string.IsNullOrEmpty(config.RolesFile) ? null : config.RolesFile;
        _state = new FileState(time);
        _table = new RoleTable(_fixed);
        if (_file is null) return;
        Read(settles: false);
        if (_state.Problem is { } problem) throw new InvalidOperationException($"the file of roles {_file} {problem}");
        _timer = new FileLookTimer(time, () => Look(settles: true) == SourceChange.Unsettled, e => AuthorizationLog.LookFailed(logger, _policy, e));
        _timer.Start();
    }

    /// <summary>The roles in use.</summary>
    internal RoleTable Table => Volatile.Read(ref _table);

    /// <summary>Reads a file; false with what is wrong, as an operator says it of the file.</summary>
    internal static bool TryRead(byte[] content, IReadOnlyDictionary<string, RoleConfig> more, out RoleTable table, out string error)
    {
        table = null!;
        if (!RoleFile.TryParse(content, out Dictionary<string, RoleConfig>? roles, out error)) return false;
        table = new RoleTable(more, roles);
        if (table.FindProblem() is not { } problem) return true;
        error = problem.Role.Length == 0 ? $"cannot be used: it {problem.Problem}" : $"cannot be used: the role {Core.Configuration.CharacterText.Quote(problem.Role)} {problem.Problem}";
        return false;
    }

    /// <summary>Looks at the file now.</summary>
    internal SourceChange Look(bool settles)
    {
        lock (_looking)
        {
            SourceChange change = Read(settles);
            if (change == SourceChange.Replaced) AuthorizationLog.RolesReplaced(_logger, _policy, _file!, Table.Count);
            else if (change == SourceChange.Refused) AuthorizationLog.RolesRefused(_logger, _policy, _file!, Table.Count, _state.Problem!);
            else if (change == SourceChange.Restored) AuthorizationLog.RolesRestored(_logger, _policy, _file!);
            return change;
        }
    }

    private SourceChange Read(bool settles)
    {
        bool isRead = WholeFile.TryRead(_file!, RoleFile.BytesMax, out byte[]? content, out string error);
        return _state.Look(isRead ? [content!] : null, error, settles, TryTake);
    }

    private bool TryTake(byte[][] contents, out string error)
    {
        if (!TryRead(contents[0], _fixed, out RoleTable table, out error)) return false;
        Volatile.Write(ref _table, table);
        return true;
    }

    public void Dispose() => _timer?.Dispose();
}
