namespace LoadBalancer.Core.Configuration;

/// <summary>What is written of each request, and where.</summary>
public sealed record AccessLogConfig
{
    /// <summary>Default <see cref="AccessLogFormat.Json"/>.</summary>
    public AccessLogFormat Format { get; init; }

    /// <summary>Text with variables in braces, for <see cref="AccessLogFormat.Template"/>. Null (default) for the other formats.</summary>
    public string? Template { get; init; }

    /// <summary>"stdout" (default), a file, "syslog:/path" for a Unix datagram socket, or "syslog:address:port" for UDP.</summary>
    public string Path { get; init; } = "stdout";

    /// <summary>Size in bytes from which a file is rotated. Default 0: never.</summary>
    public long RotateSize { get; init; }

    /// <summary>Whether a file is rotated when the day (UTC) changes. Default false.</summary>
    public bool RotateDaily { get; init; }

    /// <summary>Rotated files that are kept: "path.1" is the newest. Default 7.</summary>
    public int Keep { get; init; } = 7;

    /// <summary>One of so many requests is written, of those that the conditions let through. Default 1: all.</summary>
    public int SampleOneIn { get; init; } = 1;

    /// <summary>Least status that is written. Default 0: all. With <see cref="SlowerThan"/> either is enough.</summary>
    public int StatusMin { get; init; }

    /// <summary>Least time from start to end that is written. Default zero: all. With <see cref="StatusMin"/> either is enough.</summary>
    public TimeSpan SlowerThan { get; init; }

    /// <summary>Query parameters and fields whose values are not written, beside those that never are.</summary>
    public IReadOnlyList<string> Redact { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Bytes that each loop may hold before they are written; what comes beyond is dropped and counted. Default 1 MiB.</summary>
    public int BufferBytes { get; init; } = 1 << 20;
}

/// <summary>The formats of an access log.</summary>
public enum AccessLogFormat
{
    /// <summary>One JSON object a line.</summary>
    Json,
    /// <summary>The combined format of Apache and nginx.</summary>
    Combined,
    /// <summary><see cref="AccessLogConfig.Template"/>.</summary>
    Template,
}
