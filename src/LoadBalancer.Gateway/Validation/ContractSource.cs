using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Files;
using LoadBalancer.Schemas.Requests;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Gateway.Validation;

/// <summary>What a policy holds requests against, and the files of it, which may change. Asked by any thread; looked at by one at a time.</summary>
internal sealed class ContractSource : IDisposable
{
    private const int FileBytesMax = 16 * 1024 * 1024;
    private const int ProblemsToldMax = 5;

    private readonly ValidateConfig _config;
    private readonly string _policy;
    private readonly ILogger _logger;
    private readonly Counter<long> _reloads;
    private readonly FileState _state;
    private readonly FileLookTimer _timer;
    private readonly Lock _looking = new();
    private IReadOnlyList<string> _files = [];
    private volatile RequestContract _current = null!;

    /// <exception cref="InvalidOperationException">What was valid a moment ago is not any more.</exception>
    internal ContractSource(ValidateConfig config, string policy, Counter<long> reloads, TimeProvider time, ILogger logger)
    {
        _config = config;
        _policy = policy;
        _logger = logger;
        _reloads = reloads;
        _state = new FileState(time);
        _timer = new FileLookTimer(time, () => Look(settles: true) == SourceChange.Unsettled, e => ValidationLog.LookFailed(logger, policy, e));
        if (config.OpenApi is not null || config.Body is not null)
        {
            _files = [Path.GetFullPath((config.OpenApi ?? config.Body)!)];
            if (LookAtFiles(settles: false) == SourceChange.Refused) throw new InvalidOperationException($"the policy {policy} cannot be made: {_state.Problem}");
            _timer.Start();
        }
        else if (!TryTake([], out string error))
        {
            throw new InvalidOperationException($"the policy {policy} cannot be made: {error}");
        }
    }

    /// <summary>The last that could be used.</summary>
    internal RequestContract Current => _current;

    /// <summary>What is wrong with the files as they are; null: what they say is in use.</summary>
    internal string? Problem => _state.Problem;

    /// <summary>Looks now.</summary>
    internal SourceChange Look(bool settles)
    {
        lock (_looking)
        {
            SourceChange change = LookAtFiles(settles);
            switch (change)
            {
                case SourceChange.Replaced: ValidationLog.Replaced(_logger, _policy, _files[0]); break;
                case SourceChange.Refused: ValidationLog.Refused(_logger, _policy, _files[0], _state.Problem!); break;
                case SourceChange.Restored: ValidationLog.Restored(_logger, _policy, _files[0]); break;
            }
            if (change is SourceChange.Replaced or SourceChange.Refused)
                _reloads.Add(1, new("policy", _policy), new("outcome", change == SourceChange.Replaced ? "replaced" : "refused"));
            return change;
        }
    }

    private SourceChange LookAtFiles(bool settles)
    {
        int count = _files.Count;
        SourceChange change = _state.Look(ReadFiles(), "", settles, TryTake);
        // A document may refer to other files than the one before: from now on all of them are what is looked at.
        if (_files.Count != count && change is SourceChange.Replaced or SourceChange.Refused)
        {
            string problem = _state.Problem ?? "";
            _state.Look(ReadFiles(), "", settles: false, (byte[][] _, out string error) => (error = problem).Length == 0);
        }
        return change;
    }

    // A file that cannot be read is a state like another: what refers to it may change too.
    private byte[][] ReadFiles() =>
        [.. _files.Select(file => WholeFile.TryRead(file, FileBytesMax, out byte[]? content, out string error) ? content : SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(error)))];

    private bool TryTake(byte[][] contents, out string error)
    {
        bool isLoaded = ContractLoader.TryLoad(_config, out RequestContract? contract, out IReadOnlyList<string> files, out IReadOnlyList<ConfigProblem> problems);
        // Those of a broken edit beside those in use: either may be mended.
        _files = [.. (isLoaded ? [] : _files).Concat(files).Distinct()];
        error = string.Join("; ", problems.Take(ProblemsToldMax).Select(problem => problem.Message));
        if (isLoaded) _current = contract!;
        return isLoaded;
    }

    /// <summary>Ends the looking. A look under way is not waited for.</summary>
    public void Dispose() => _timer.Dispose();
}
