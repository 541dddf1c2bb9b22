using System.Runtime.CompilerServices;

namespace LoadBalancer.Balancing;

/// <summary>
/// Balances over destinations that come and go: the door to this library. Owns the destinations' live state; picks and completions take
/// no lock, whatever changes the set makes a new immutable snapshot, picker included, and swaps it in by one write.
/// </summary>
public sealed class Scheduler
{
    private readonly Lock _changing = new(); // never taken by a pick or completion
    private readonly PickRandom _random;
    private readonly Holds _holds;
    private IBalancingPolicy _policy;
    private SchedulerOptions _options;
    private OutlierEjector? _ejector;
    private long _returnAt = long.MaxValue; // of the ejected destination that is due first
    private Destination[] _destinations = [];
    private Dictionary<string, Destination> _byIdentity = [];
    private DestinationSpec[] _specs = [];
    private bool _isStarted;
    private IDestinationPicker _picker;
    private Dictionary<(int Priority, bool IsRemote), IDestinationPicker> _tierPickers = [];

    /// <summary>A scheduler without destinations; <see cref="Update"/> brings them.</summary>
    public Scheduler(IBalancingPolicy policy, SchedulerOptions? options = null)
    {
        _policy = policy;
        _options = options ?? new SchedulerOptions();
        _random = new PickRandom(_options.Seed);
        _ejector = EjectorOf(_options);
        _holds = new Holds(_options.TimestampFrequency);
        _picker = policy.Build(new DestinationSet([], [], _options, _random), null);
    }

    /// <summary>Members in the order of the last <see cref="Update"/>, eligible or not.</summary>
    public IReadOnlyList<Destination> Destinations => Volatile.Read(ref _destinations);

    /// <summary>The picker of the present snapshot.</summary>
    public IDestinationPicker Picker => Volatile.Read(ref _picker);

    /// <summary>Chooses a destination; the lease is not active when none may be used.</summary>
    // Hot path: per attempt. 0 allocations, no lock. PolicyTests.PickAndComplete_AnyPolicy_AllocatesNothing
    public PickLease Pick(in PickContext context)
    {
        if (context.Timestamp >= Volatile.Read(ref _returnAt)) EndEjections(context.Timestamp);
        Destination? picked = Volatile.Read(ref _picker).Pick(context);
        return picked is null ? default : new PickLease(this, picked, context.Timestamp);
    }

    /// <summary>
    /// Picks a certain destination, for affinity: the lease is not active when picks do not go to it now (as they do to all in panic), or it is
    /// at its limit. Asked to be left alone, it is picked all the same: nobody else has the session.
    /// </summary>
    /// <param name="destination">Where to go.</param>
    /// <param name="now">Timestamp ticks.</param>
    /// <param name="whileDraining">Whether one that drains, and is a member still, takes it: what it has may then be a session, not just an exchange.</param>
    public PickLease PickThis(Destination destination, long now, bool whileDraining = false)
    {
        bool mayBe = destination.IsUsed || (whileDraining && destination.Status == DestinationStatus.Draining && Find(destination.Identity) == destination);
        return mayBe && destination.TryReserve(now, out int outstanding) ? Started(destination, outstanding, now) : default;
    }

    /// <summary>The member of that identity, or null.</summary>
    public Destination? Find(string identity) => Volatile.Read(ref _byIdentity).GetValueOrDefault(identity);

    /// <summary>Whether the destination is a member that new picks may go to, its limit aside.</summary>
    public bool IsEligible(Destination destination) => destination.Status == DestinationStatus.Eligible && Find(destination.Identity) == destination;

    /// <summary>What the present picker knows of a destination, for people. Changes nothing; any thread.</summary>
    /// <param name="destination">Any; of one that no picks go to nothing is known.</param>
    /// <param name="now">Timestamp ticks.</param>
    public DestinationScore Describe(Destination destination, long now) => destination.IsUsed ? Volatile.Read(ref _picker).Describe(destination, now) : default;

    /// <summary>
    /// Sets the members. Those whose identity is known keep their live state; the picks of those that are gone are completed as ever.
    /// </summary>
    /// <param name="specs">All members.</param>
    /// <param name="now">Timestamp ticks: newcomers start slowly from here, except in the first update.</param>
    /// <exception cref="ArgumentException">Two members of one identity, or a value out of its range; nothing has changed then.</exception>
    public void Update(IReadOnlyList<DestinationSpec> specs, long now)
    {
        lock (_changing)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (DestinationSpec spec in specs) Check(spec, seen);

            var byIdentity = new Dictionary<string, Destination>(StringComparer.Ordinal);
            var destinations = new Destination[specs.Count];
            for (int i = 0; i < destinations.Length; i++)
            {
                DestinationSpec spec = specs[i];
                if (!_byIdentity.TryGetValue(spec.Identity, out Destination? destination))
                {
                    destination = new Destination(spec.Identity, spec.Tag);
                    destination.SetStatus(spec.InitialStatus);
                    if (_isStarted) Admit(destination, specs.Count, now);
                }
                destination.Tag = spec.Tag;
                destination.Zone = spec.Zone;
                destination.OutstandingMax = spec.OutstandingMax == 0 ? int.MaxValue : spec.OutstandingMax;
                destinations[i] = destination;
                byIdentity.Add(spec.Identity, destination);
            }
            foreach (Destination before in _destinations)
                if (byIdentity.GetValueOrDefault(before.Identity) != before) before.IsUsed = false;
            _specs = [.. specs];
            _isStarted = true;
            Volatile.Write(ref _destinations, destinations);
            Volatile.Write(ref _byIdentity, byIdentity); // never changed again: safe to read from any thread
            _holds.MembersChanged();
            Rebuild();
        }
    }

    /// <summary>
    /// Goes by another policy, or other options, from the next pick on. Members and what is known of them stay: their load, their latencies, their status; what
    /// a policy keeps in its pickers begins anew.
    /// </summary>
    /// <param name="policy">The policy.</param>
    /// <param name="options">All options; time, chance and observer stay what they were.</param>
    /// <param name="now">Timestamp ticks: ejections end here where there are to be none.</param>
    public void Reconfigure(IBalancingPolicy policy, SchedulerOptions options, long now)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(options);
        var returned = new List<(Destination Destination, DestinationStatus Before, DestinationStatus After)>();
        lock (_changing)
        {
            bool isSameEjection = options.Ejection == _options.Ejection;
            _policy = policy;
            _options = options with { TimestampFrequency = _options.TimestampFrequency, Seed = _options.Seed, Observer = _options.Observer };
            _tierPickers = [];
            if (!isSameEjection) Volatile.Write(ref _ejector, EjectorOf(_options));
            if (_options.Ejection is null)
            {
                Volatile.Write(ref _returnAt, long.MaxValue);
                foreach (Destination destination in _destinations)
                {
                    DestinationStatus before = destination.Status, after = before & ~DestinationStatus.Ejected;
                    if (before == after) continue;
                    OutlierEjector.End(destination, now);
                    destination.SetStatus(after);
                    returned.Add((destination, before, after));
                }
            }
            Rebuild();
        }
        Tell(returned);
    }

    private static OutlierEjector? EjectorOf(SchedulerOptions options) => options.Ejection is { } ejection ? new OutlierEjector(ejection, options.TimestampFrequency) : null;

    private void Tell(List<(Destination Destination, DestinationStatus Before, DestinationStatus After)> changes)
    {
        foreach ((Destination destination, DestinationStatus before, DestinationStatus after) in changes) _options.Observer?.OnStatusChanged(destination, before, after);
    }

    /// <summary>Sets or clears reasons not to use a destination; has effect on every pick that begins after the return.</summary>
    /// <param name="destination">A member.</param>
    /// <param name="reasons">Which reasons.</param>
    /// <param name="hold">Whether they hold from now on.</param>
    /// <param name="now">Timestamp ticks: a destination without any reason left starts slowly from here.</param>
    public void Mark(Destination destination, DestinationStatus reasons, bool hold, long now)
    {
        DestinationStatus before, after;
        lock (_changing)
        {
            before = destination.Status;
            after = hold ? before | reasons : before & ~reasons;
            if (before == after) return;
            destination.SetStatus(after);
            if (before.HasFlag(DestinationStatus.Ejected) && !after.HasFlag(DestinationStatus.Ejected)) OutlierEjector.End(destination, now);
            if (after == DestinationStatus.Eligible) Admit(destination, _destinations.Length, now);
            Rebuild();
        }
        _options.Observer?.OnStatusChanged(destination, before, after);
    }

    /// <summary>
    /// Destinations to probe now, chosen by the policy; the caller asks each for its load and reports it to <see cref="Probed"/>. To be
    /// called after each pick, or now and then: what is due adds up to some extent. Most policies never want any.
    /// </summary>
    /// <param name="targets">Receives them; its length bounds their number.</param>
    /// <returns>How many.</returns>
    public int TakeProbes(Span<Destination> targets) => Volatile.Read(ref _picker).TakeProbes(targets);

    /// <summary>Reports the answer to a probe, received at <paramref name="now"/>.</summary>
    public void Probed(Destination destination, in ProbeResult result, long now) => Volatile.Read(ref _picker).Probed(destination, result, now);

    internal void Complete(Destination destination, long startTimestamp, in PickOutcome outcome)
    {
        // Before the picker is read: either it is the new one already, or Attached sees the new count (both are full fences).
        int outstanding = destination.Release();
        long now = startTimestamp + Math.Max(0, outcome.TotalTicks);
        if (outcome.HoldTicks > 0) _holds.Ask(destination, outcome.HoldTicks, now, Volatile.Read(ref _destinations));
        Volatile.Read(ref _picker).Complete(destination, outstanding, outcome, now);
        if (_ejector is { } ejector && ejector.Count(destination, outcome.Kind, now)) Eject(ejector, destination, now);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Eject(OutlierEjector ejector, Destination destination, long now)
    {
        lock (_changing)
        {
            if (ejector != _ejector) return; // replaced since the failure was counted: nobody would end it
            if (!ejector.MayEject(destination, _destinations)) return;
            ejector.Begin(destination, now);
            destination.SetStatus(DestinationStatus.Ejected);
            Rebuild();
        }
        _options.Observer?.OnStatusChanged(destination, DestinationStatus.Eligible, DestinationStatus.Ejected);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void EndEjections(long now)
    {
        var returned = new List<(Destination Destination, DestinationStatus Before, DestinationStatus After)>();
        lock (_changing)
        {
            foreach (Destination destination in _destinations)
            {
                if (destination.Ejection.Until > now) continue;
                OutlierEjector.End(destination, now);
                DestinationStatus before = destination.Status, after = before & ~DestinationStatus.Ejected;
                destination.SetStatus(after);
                if (after == DestinationStatus.Eligible) Admit(destination, _destinations.Length, now);
                if (before != after) returned.Add((destination, before, after));
            }
            if (returned.Count > 0) Rebuild(); // else another thread was quicker
        }
        Tell(returned);
    }

    private PickLease Started(Destination destination, int outstanding, long now)
    {
        Volatile.Read(ref _picker).Reserved(destination, outstanding, now);
        return new PickLease(this, destination, now);
    }

    private void Admit(Destination destination, int members, long now)
    {
        // Of two, the other one would have to carry nearly everything meanwhile.
        if (_options.SlowStart > TimeSpan.Zero && members > 2) destination.AdmittedAt = now;
    }

    private static void Check(DestinationSpec spec, HashSet<string> seen)
    {
        if (!seen.Add(spec.Identity)) throw new ArgumentException($"two destinations have the identity '{spec.Identity}'");
        if (spec.Weight is < 1 or > DestinationSpec.WeightMax) throw new ArgumentOutOfRangeException(nameof(spec), spec.Weight, $"weight of '{spec.Identity}'");
        if (spec.OutstandingMax < 0) throw new ArgumentOutOfRangeException(nameof(spec), spec.OutstandingMax, $"limit of '{spec.Identity}'");
    }

    private void Rebuild()
    {
        if (_ejector is not null)
        {
            _ejector.Changed(_destinations);
            Volatile.Write(ref _returnAt, _ejector.NextReturn);
        }
        Tier[] tiers = Tier.Divide(_destinations, _specs, _options);
        var used = new HashSet<Destination>(tiers.SelectMany(tier => tier.Destinations));
        foreach (Destination destination in _destinations) destination.IsUsed = used.Contains(destination);
        var tierPickers = new Dictionary<(int Priority, bool IsRemote), IDestinationPicker>();
        var pickers = new IDestinationPicker[tiers.Length];
        for (int t = 0; t < tiers.Length; t++)
        {
            Tier tier = tiers[t];
            for (int seat = 0; seat < tier.Destinations.Length; seat++)
            {
                tier.Destinations[seat].Seat = seat;
                tier.Destinations[seat].Tier = t;
            }
            _tierPickers.TryGetValue((tier.Priority, tier.IsRemote), out IDestinationPicker? previous);
            pickers[t] = _policy.Build(new DestinationSet(tier.Destinations, tier.Weights, _options, _random), previous);
            tierPickers.Add((tier.Priority, tier.IsRemote), pickers[t]);
        }
        _tierPickers = tierPickers;
        IDestinationPicker picker = pickers.Length switch
        {
            0 => _policy.Build(new DestinationSet([], [], _options, _random), null),
            1 => pickers[0],
            _ => new TieredPicker(pickers, tiers, _random),
        };
        Interlocked.Exchange(ref _picker, picker);
        picker.Attached();
    }
}
