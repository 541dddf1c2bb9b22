using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Policies;

/// <summary>
/// One request on its way through the policies of its route, and its answer on the way back. Belongs to one exchange, which keeps it, and to its loop's thread; what policies do
/// elsewhere is waited for here. A policy that is not waited for any longer (<see cref="Cut"/>) leaves the whole of it to the collector, since it may still look at it.
/// </summary>
internal sealed partial class PolicyRun
{
    private readonly List<ClusterCall> _calls = [];
    private readonly CollectingWriter _requestBody;
    private RoutePolicies _policies = null!;
    private LoopWait? _wait;
    private ReadOnlyMemory<byte>? _setBody;
    private bool _isBodyRead, _hadCredentials;
    private bool _isReading; // a body is being read, which cuts itself
    private TaskCompletionSource? _readEnd; // of who asks for a body meanwhile

    internal PolicyRun(Exchange exchange)
    {
        Exchange = exchange;
        _requestBody = new CollectingWriter(exchange.Context.Server.BodyMemory);
        _responseBody = new CollectingWriter(exchange.Context.Server.BodyMemory);
        Request = new RequestContext(this);
        Response = new ResponseContext(this);
    }

    internal Exchange Exchange { get; }

    internal RequestContext Request { get; }

    internal ResponseContext Response { get; }

    /// <summary>Index of the policy that runs.</summary>
    internal int Current { get; private set; }

    /// <summary>Name of the policy that runs.</summary>
    internal string CurrentName => _policies.Names[Current];

    /// <summary>Where a policy wants the request to go; null for where the route says.</summary>
    internal ClusterSnapshot? ChosenCluster { get; private set; }

    internal bool HasResponsePolicies => _policies.HasResponsePolicies;

    internal TransportLoop Loop => Exchange.Context.Loop;

    internal RouteSnapshot Route => Exchange.Route!;

    internal Http1Connection Client => Exchange.Client;

    internal X509Certificate2? ClientCertificate => Exchange.Client.Transport.ClientCertificate;

    internal PeerAddress ClientAddress { get; private set; }

    /// <summary>Whether a policy knows who the request is from, or may have taken out what said so.</summary>
    internal bool IsIdentified => _hadCredentials || Request.Identity is not null || Request.IsPersonal;

    /// <summary>The path that the route has matched.</summary>
    internal ReadOnlySpan<byte> RoutedPath => Request.IsPathChanged ? default : Request.Path;

    internal bool HasBody => _setBody is { } set ? set.Length > 0 : Exchange.Request.HasBody;

    internal long ContentLength => Body is { } body ? body.Length : Exchange.Request.Framing == MessageFraming.Chunked ? -1 : Math.Max(Exchange.Request.ContentLength, 0);

    internal ReadOnlyMemory<byte>? Body => _setBody ?? (_isBodyRead ? (ReadOnlyMemory<byte>?)Exchange.BufferedBody : null); // cast: null is an array too, and so would be empty

    private long TimeoutMilliseconds => Route.PolicyMilliseconds;

    /// <summary>Has the policies look at the request. False when it is to go on; else it is answered, or a policy is waited for.</summary>
    // Hot path: per request of a route with policies. 0 allocations of its own where no policy waits.
    internal bool TryAnswer(RoutePolicies policies, out ValueTask answer)
    {
        _policies = policies;
        ClientAddress = Exchange.ClientAddress;
        ChosenCluster = null;
        _setBody = null;
        _isBodyRead = false;
        BeginResponse();
        Request.Begin(policies.Names.Length);
        _hadCredentials = Request.Fields.IndexOf("authorization"u8) >= 0;
        Current = -1;
        ValueTask<PolicyAnswer?> deciding = Next(out bool isOver);
        while (!isOver)
        {
            if (!deciding.IsCompleted || Exchange.FailReason != EndReason.None)
            {
                answer = GoOnAsync(deciding);
                return true;
            }
            if (!TryGet(deciding, out PolicyAnswer? given) || given is not null)
            {
                answer = AnswerAsync(given);
                return true;
            }
            deciding = Next(out isOver);
        }
        if (NeedsDrain)
        {
            answer = GoOnAsync(default, isOver: true);
            return true;
        }
        if (!TryCommit())
        {
            answer = AnswerAsync(null);
            return true;
        }
        answer = default;
        return false;
    }

    /// <summary>Has the next policy look at the request.</summary>
    private ValueTask<PolicyAnswer?> Next(out bool isOver)
    {
        IRequestPolicy?[] policies = _policies.Requests;
        if (Current >= 0 && Exchange.Context.Server.RecordsVerdicts) NoteVerdict(0, EndReason.None, null);
        while (++Current < policies.Length)
        {
            if (policies[Current] is not { } policy) continue;
            isOver = false;
            try
            {
                return policy.OnRequestAsync(Request);
            }
            catch (Exception e)
            {
                return ValueTask.FromException<PolicyAnswer?>(e);
            }
        }
        isOver = true;
        return default;
    }

    // False when the policy has failed, which is noted.
    private bool TryGet(ValueTask<PolicyAnswer?> decided, out PolicyAnswer? given)
    {
        try
        {
            given = decided.GetAwaiter().GetResult();
            return true;
        }
        catch (Exception e)
        {
            Failed(e);
            given = null;
            return false;
        }
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    private async ValueTask GoOnAsync(ValueTask<PolicyAnswer?> deciding, bool isOver = false)
    {
        Exchange.Arm(ExchangePhase.Policy, TimeoutMilliseconds);
        while (!isOver)
        {
            Task<PolicyAnswer?> decided = deciding.AsTask();
            if (!decided.IsCompleted && !await WaitAsync(decided).ConfigureAwait(false))
            {
                Abandon();
                await Forwarder.FailAsync(Exchange, Exchange.FailReason).ConfigureAwait(false);
                return;
            }
            bool isSound = TryGet(new(decided), out PolicyAnswer? given);
            if (Exchange.FailReason != EndReason.None)
            {
                await Forwarder.FailAsync(Exchange, Exchange.FailReason).ConfigureAwait(false);
                return;
            }
            if (!isSound || given is not null)
            {
                Exchange.Disarm();
                await AnswerAsync(given).ConfigureAwait(false);
                return;
            }
            deciding = Next(out isOver);
        }
        if (NeedsDrain && !await DrainRequestAsync().ConfigureAwait(false))
        {
            await Forwarder.FailAsync(Exchange, Exchange.FailReason).ConfigureAwait(false);
            return;
        }
        Exchange.Disarm();
        if (!TryCommit())
        {
            await AnswerAsync(null).ConfigureAwait(false);
            return;
        }
        if (!Client.TryAnswerRouted(Exchange, out ValueTask answer))
        {
            answer = Forwarder.ForwardAsync(Exchange);
            Route.Mirror?.Copy(Exchange);
        }
        await answer.ConfigureAwait(false);
    }

    /// <summary>Waits for what a policy does. False when it is not waited for any longer, for <see cref="PickOwner.FailReason"/>.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<bool> WaitAsync(Task task)
    {
        _wait = new LoopWait(Loop, task);
        await _wait;
        _wait = null;
        return task.IsCompleted;
    }

    /// <summary>Nobody waits for an answer any more: whoever waits for a policy is woken. On the loop.</summary>
    internal void Cut()
    {
        Request.Abort();
        foreach (ClusterCall call in _calls) call.Cut(EndReason.ClientAborted);
        if (_isReading)
        {
            // The read ends by itself, and the policy with it: until then the connections are in use.
            if (Exchange.IsUploadReading) Client.Transport.Input.CancelPendingRead();
        }
        else _wait?.Cut();
    }

    // What a policy that still runs may look at is not used again.
    private void Abandon()
    {
        Exchange.Disarm();
        Exchange.Abandon(this);
        _isAbandoned = true;
    }

    private volatile bool _isAbandoned;

    private void Failed(Exception e)
    {
        string policy = _policies.Names[Current];
        // Gone, or too late: what the policy makes of that says nothing of it.
        if (Exchange.FailReason == EndReason.None && e is not PolicyFailedException) PolicyLog.PolicyFailed(Exchange.Context.Server.Logger, policy, Route.Name, e);
        Exchange.Record.Detail = e.Message;
    }

    private ValueTask AnswerAsync(PolicyAnswer? answer)
    {
        string policy = _policies.Names[Math.Min(Current, _policies.Names.Length - 1)];
        CompletionRecord record = Exchange.Record;
        answer ??= PolicyAnswer.Refuse(500, EndReason.PolicyFailed, record.Detail);
        record.Detail = answer.Detail;
        if (Exchange.Context.Server.RecordsVerdicts && Current < _policies.Names.Length) NoteVerdict(answer.Status, answer.Reason, answer.Detail);
        NoteIdentity();
        NoteDryRuns();
        if (answer.IsRefusal) Exchange.Context.Server.Refusals.Note(record, answer.Reason, policy, isDryRun: false);
        return Responses.PolicyAnswerAsync(Exchange, answer);
    }

    private void NoteVerdict(int status, EndReason reason, string? detail)
    {
        var verdicts = (List<PolicyVerdict>?)Exchange.Record.Verdicts ?? [];
        verdicts.Add(new PolicyVerdict(_policies.Names[Current], status, reason, detail));
        Exchange.Record.Verdicts = verdicts;
    }

    private void NoteIdentity()
    {
        Exchange.Record.Subject = Request.Identity?.Subject;
        Exchange.Record.Fields = Request.LogFields;
    }

    // Once, when all that look at the request have.
    private void NoteDryRuns()
    {
        if (Request.DryRuns is not { Count: > 0 } noted) return;
        foreach ((int policy, EndReason reason) in noted) Exchange.Context.Server.Refusals.Note(Exchange.Record, reason, _policies.Names[policy], isDryRun: true);
    }

    internal bool TryChooseCluster(string name)
    {
        foreach (ClusterSnapshot cluster in Exchange.Context.Server.Snapshot.Clusters)
        {
            if (cluster.Name != name) continue;
            ChosenCluster = cluster;
            return true;
        }
        return false;
    }

    /// <summary>What is held for the request is given back.</summary>
    internal void End()
    {
        _requestBody.Clear(_isAbandoned);
        _responseBody.Clear(_isAbandoned);
        _calls.Clear();
        Request.Identity = null;
        ChosenCluster = null;
        _setBody = null;
        EndResponse();
    }
}
