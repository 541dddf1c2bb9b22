using System.Text;
using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery.Sources;

namespace LoadBalancer.Discovery.Etcd;

/// <summary>
/// What a key of etcd says of a destination: "10.0.0.5:8080", or the object of a configured destination. Whoever may write to etcd is not whoever configures the balancer: no
/// value opens files, reads variables or leads to sockets of this machine.
/// </summary>
internal static class EtcdValue
{
    /// <summary>The destination; null, with what is wrong, where it is none.</summary>
    /// <param name="name">What follows the prefix in the key.</param>
    /// <param name="value">Null for one that is too large.</param>
    /// <param name="defaults">What holds where the value says nothing.</param>
    /// <param name="problem">The rest of a sentence; null when nothing is wrong.</param>
    internal static DestinationConfig? Parse(string name, byte[]? value, DestinationConfig defaults, out string? problem)
    {
        if (!DestinationName.IsValid(name)) problem = "the key is no name; expected up to 128 letters, digits and \"-._~:\" after the prefix";
        else if (value is null) problem = $"the value is larger than {EtcdSource.ValueBytesMax} bytes";
        else if (Read(value, defaults, out problem) is not { } destination) return null;
        else if (destination.Address.StartsWith("unix:", StringComparison.OrdinalIgnoreCase)) problem = "the address is a socket of this machine, which etcd cannot know of";
        else if (ConfigValidator.Validate(destination) is [{ } first, ..]) problem = $"{first.Path}: {first.Message}";
        else return destination;
        return null;
    }

    private static DestinationConfig? Read(byte[] value, DestinationConfig defaults, out string? problem)
    {
        problem = null;
        ReadOnlySpan<byte> trimmed = value.AsSpan().Trim(" \t\r\n"u8);
        if (trimmed.IsEmpty || trimmed[0] != (byte)'{')
        {
            if (System.Text.Unicode.Utf8.IsValid(trimmed)) return defaults with { Address = Encoding.UTF8.GetString(trimmed) };
            problem = "the value is not UTF-8";
            return null;
        }
        DestinationConfig destination = defaults;
        try
        {
            using JsonDocument document = JsonDocument.Parse(value, new JsonDocumentOptions { AllowDuplicateProperties = false });
            foreach (JsonProperty field in document.RootElement.EnumerateObject())
            {
                DestinationConfig? next = With(destination, field);
                if (next is null) problem ??= $"{CharacterText.Quote(field.Name)} is unknown, or not of its kind; expected {{\"address\": \"host:port\"}}, and perhaps numbers \"weight\", \"tier\" and \"requestsMax\", and a text \"zone\"";
                else destination = next;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the second: half of a surrogate pair
        {
            problem = "the value is no valid JSON";
        }
        return problem is null ? destination : null;
    }

    private static DestinationConfig? With(DestinationConfig destination, JsonProperty field) => (field.Name, field.Value.ValueKind) switch
    {
        ("address", JsonValueKind.String) => destination with { Address = field.Value.GetString()! },
        ("weight", JsonValueKind.Number) => field.Value.TryGetInt32(out int weight) ? destination with { Weight = weight } : null,
        ("tier", JsonValueKind.Number) => field.Value.TryGetInt32(out int tier) ? destination with { Tier = tier } : null,
        ("requestsMax", JsonValueKind.Number) => field.Value.TryGetInt32(out int most) ? destination with { RequestsMax = most } : null,
        ("zone", JsonValueKind.String) => destination with { Zone = field.Value.GetString() },
        _ => null,
    };
}
