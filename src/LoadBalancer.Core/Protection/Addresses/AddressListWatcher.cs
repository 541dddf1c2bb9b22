using System.Diagnostics.Metrics;
using LoadBalancer.Core.Events;
using LoadBalancer.Core.Files;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Protection.Addresses;

/// <summary>
/// Looks at the files of address lists from time to time, on the thread pool, and takes over what has changed. What cannot be used is told once, and looked at again
/// when it changes. The instruments are on the meter "LoadBalancer"; their tags are the configuration's names.
/// </summary>
internal sealed class AddressListWatcher : IDisposable
{
    private static readonly TimeSpan LookMax = TimeSpan.FromSeconds(5); // for who waits for another look

    private AddressListStore _store; // replaced as a whole
    private readonly Action _replaced;
    private readonly ILogger _logger;
    private readonly FileLookTimer _timer;
    private readonly Meter _meter = new("LoadBalancer");
    private readonly Counter<long> _reloads;
    private readonly Lock _looking = new();

    /// <param name="store">The lists.</param>
    /// <param name="replaced">Called after a list has changed.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where it logs.</param>
    internal AddressListWatcher(AddressListStore store, Action replaced, TimeProvider time, ILogger logger)
    {
        _store = store;
        _replaced = replaced;
        _logger = logger;
        _timer = new FileLookTimer(time, () => Look(settles: true).IsUnsettled, e => ProtectionLog.LookFailed(logger, e));
        _ = _meter.CreateObservableGauge("lb.address_list.entries", Entries, "{block}", "Blocks in use of an address list.");
        _reloads = _meter.CreateCounter<long>("lb.address_list.reloads", "{reload}", "Changes of an address list's file, by whether what it has is used.");
    }

    /// <summary>Where operators are told.</summary>
    internal required ServerEvents Events { get; init; }

    internal void Start()
    {
        if (Volatile.Read(ref _store).All.Any(list => list.File is not null)) _timer.Start();
    }

    /// <summary>Watches other lists from here on.</summary>
    internal void Follow(AddressListStore store)
    {
        Volatile.Write(ref _store, store); // a look under way, which may hang on a file, is not waited for
        Start();
    }

    /// <summary>Looks now, and takes what there is. How many lists were replaced.</summary>
    /// <exception cref="TimeoutException">Another look does not end: a file is not read.</exception>
    internal int Reload() => Look(settles: false).Replaced;

    /// <summary>The same beside a reload of the configuration, which does not fail for it.</summary>
    internal void TryReload()
    {
        try
        {
            Reload();
        }
        catch (TimeoutException e)
        {
            ProtectionLog.LookFailed(_logger, e);
        }
    }

    private (int Replaced, bool IsUnsettled) Look(bool settles)
    {
        if (!_looking.TryEnter(LookMax)) throw new TimeoutException("the files of address lists are being read");
        try
        {
            int replaced = 0;
            bool isUnsettled = false;
            foreach (AddressList list in Volatile.Read(ref _store).All)
            {
                if (list.File is not { } file) continue;
                SourceChange change = list.Look(settles);
                isUnsettled |= change == SourceChange.Unsettled;
                if (change == SourceChange.Replaced)
                {
                    replaced++;
                    _replaced();
                }
                Tell(list, file, change);
            }
            return (replaced, isUnsettled);
        }
        finally
        {
            _looking.Exit();
        }
    }

    private void Tell(AddressList list, string file, SourceChange change)
    {
        switch (change)
        {
            case SourceChange.Replaced:
                ProtectionLog.Replaced(_logger, list.Name, file, list.Count);
                Events.Add(ServerEventKind.AddressListReplaced, list.Name, $"{list.Count} blocks from {file}");
                break;
            case SourceChange.Refused:
                ProtectionLog.Refused(_logger, list.Name, file, list.Count, list.Problem!);
                Events.Add(ServerEventKind.AddressListFailing, list.Name, $"{file} cannot be used, the {list.Count} blocks from before stay: {list.Problem}");
                break;
            case SourceChange.Restored:
                ProtectionLog.Restored(_logger, list.Name, file);
                Events.Add(ServerEventKind.AddressListRestored, list.Name, $"{file} holds again what is in use");
                break;
        }
        if (change is SourceChange.Replaced or SourceChange.Refused)
            _reloads.Add(1, new("list", list.Name), new("outcome", change == SourceChange.Replaced ? "replaced" : "refused"));
    }

    private IEnumerable<Measurement<int>> Entries() => Volatile.Read(ref _store).All.Select(list => new Measurement<int>(list.Count, new KeyValuePair<string, object?>("list", list.Name)));

    /// <summary>Ends the watching. A look under way is not waited for.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        _meter.Dispose();
    }
}
