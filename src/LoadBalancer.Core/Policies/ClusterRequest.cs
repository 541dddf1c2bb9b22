using LoadBalancer.Core.AccessLog;

namespace LoadBalancer.Core.Policies;

/// <summary>A request that a policy makes to a cluster: see <see cref="RequestContext.SendAsync"/>.</summary>
public sealed class ClusterRequest
{
    /// <summary>Method. Default GET.</summary>
    public string Method { get; init; } = "GET";

    /// <summary>Path and query, in origin form: "/check?user=1".</summary>
    public required string Target { get; init; }

    /// <summary>Header fields; Host, length and connection are the balancer's. "host" among them is sent as Host.</summary>
    public HeaderFields Fields { get; init; } = HeaderFields.Empty;

    /// <summary>Content. Default none.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Time for all of it. Default 5 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest content of the answer, in bytes; a longer one is a failure. Default 1 MiB.</summary>
    public int ResponseBytesMax { get; init; } = 1 << 20;
}

/// <summary>What became of a <see cref="ClusterRequest"/>.</summary>
public sealed class ClusterResponse
{
    internal ClusterResponse(EndReason failure)
    {
        Failure = failure;
        Fields = HeaderFields.Empty;
    }

    internal ClusterResponse(int status, HeaderFields fields, ReadOnlyMemory<byte> body)
    {
        Status = status;
        Fields = fields;
        Body = body;
    }

    /// <summary>Why there is no whole answer; <see cref="EndReason.None"/> where there is one.</summary>
    public EndReason Failure { get; }

    /// <summary>Status; 0 where there is no answer.</summary>
    public int Status { get; }

    /// <summary>Header fields, without those of the connection.</summary>
    public HeaderFields Fields { get; }

    /// <summary>Content, without framing; as it was sent where it is compressed.</summary>
    public ReadOnlyMemory<byte> Body { get; }
}
