using System.Globalization;
using System.Net;

namespace LoadBalancer.Core.Configuration;

/// <summary>Checks <see cref="EtcdConfig"/> and <see cref="KubernetesConfig"/>, without asking them.</summary>
internal static class RemoteSourceValidator
{
    /// <summary>Port of etcd where an endpoint names none.</summary>
    internal const int EtcdPort = 2379;

    private const int EndpointsMax = 32, PrefixLengthMax = 1024;

    internal static void Validate(string path, EtcdConfig etcd, ProblemList problems)
    {
        if (etcd.Endpoints.Count is 0 or > EndpointsMax) problems.Add($"{path}.endpoints", $"has {etcd.Endpoints.Count} entries; expected 1 to {EndpointsMax}");
        for (int i = 0; i < etcd.Endpoints.Count; i++)
            if (!TryParseEndpoint(etcd.Endpoints[i], out _, out string error)) problems.Add(ConfigPath.Item($"{path}.endpoints", i), $"{CharacterText.Quote(etcd.Endpoints[i])} {error}");
        if (etcd.Prefix.Length is 0 or > PrefixLengthMax) problems.Add($"{path}.prefix", $"has {etcd.Prefix.Length} characters; expected 1 to {PrefixLengthMax}");
        else if (char.IsLetterOrDigit(etcd.Prefix[^1])) problems.Add($"{path}.prefix", $"{CharacterText.Quote(etcd.Prefix)} would also take keys of other names that begin so; did you mean \"{etcd.Prefix}/\"?");
        if (etcd.User is null != etcd.Password is null) problems.Add($"{path}.{(etcd.User is null ? "user" : "password")}", "is missing; \"user\" and \"password\" go together");
        if (etcd.User is { Length: 0 }) problems.Add($"{path}.user", "is empty");
        if (etcd.Tls is { } tls) UpstreamTlsValidator.Validate($"{path}.tls", tls, problems);
    }

    internal static void Validate(string path, KubernetesConfig kubernetes, ProblemList problems)
    {
        if (!IsLabel(kubernetes.Service)) problems.Add($"{path}.service", $"{CharacterText.Quote(kubernetes.Service)} is no name of a service; expected one such as \"api\"");
        if (kubernetes.Namespace is { } space && !IsLabel(space)) problems.Add($"{path}.namespace", $"{CharacterText.Quote(space)} is no name of a namespace; expected one such as \"default\"");
        if (kubernetes.Port is { } port && !(TryParsePort(port, out _) || !port.All(char.IsAsciiDigit) && IsLabel(port)))
            problems.Add($"{path}.port", $"{CharacterText.Quote(port)} is neither a port's name nor its number; expected one such as \"http\" or \"8080\"");
        if (kubernetes.Kubeconfig is { Length: 0 }) problems.Add($"{path}.kubeconfig", "is empty");
    }

    /// <summary>Reads "host" or "host:port".</summary>
    internal static bool TryParseEndpoint(string text, out DnsEndPoint endpoint, out string error)
    {
        endpoint = new DnsEndPoint("localhost", EtcdPort);
        if (text.Contains("://", StringComparison.Ordinal))
        {
            error = "is a URL; expected \"host:port\", with \"tls\" beside it for HTTPS";
            return false;
        }
        bool hasPort = text.StartsWith('[') ? text.Contains("]:", StringComparison.Ordinal) : text.Contains(':', StringComparison.Ordinal);
        string full = hasPort ? text : string.Create(CultureInfo.InvariantCulture, $"{text}:{EtcdPort}");
        if (!AddressParser.TryParseDestination(full, out EndPoint? parsed, out string? reason))
        {
            error = reason!;
            return false;
        }
        if (parsed is not (DnsEndPoint or IPEndPoint))
        {
            error = "is no address of etcd; expected one such as \"etcd.internal:2379\"";
            return false;
        }
        error = "";
        endpoint = parsed is DnsEndPoint name ? name : new DnsEndPoint(((IPEndPoint)parsed).Address.ToString(), ((IPEndPoint)parsed).Port);
        return true;
    }

    /// <summary>A number of a port.</summary>
    internal static bool TryParsePort(string text, out int port) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is >= 1 and <= 65535;

    // RFC 1123 labels, as Kubernetes names services, namespaces and ports.
    private static bool IsLabel(string text) =>
        text.Length is >= 1 and <= 63 && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') && text[0] != '-' && text[^1] != '-';
}
