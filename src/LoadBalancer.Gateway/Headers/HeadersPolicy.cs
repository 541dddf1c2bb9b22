using System.Text;
using LoadBalancer.Core.Policies;

namespace LoadBalancer.Gateway.Headers;

/// <summary>Changes header fields as the configuration says.</summary>
internal sealed class HeadersPolicy(HeadersConfig config) : IRequestPolicy, IResponsePolicy
{
    private readonly Changes? _request = config.Request is { } request ? new(request) : null, _response = config.Response is { } response ? new(response) : null;

    public ValueTask<PolicyAnswer?> OnRequestAsync(RequestContext context)
    {
        _request?.Apply(context.Fields);
        return default;
    }

    public ValueTask OnResponseAsync(ResponseContext context)
    {
        _response?.Apply(context.Fields);
        return default;
    }

    private sealed class Changes(HeaderChanges config)
    {
        private readonly byte[][] _remove = [.. config.Remove.Select(Encoding.ASCII.GetBytes)];
        private readonly (byte[] Name, byte[] Value)[] _set = [.. config.Set.Select(Bytes)], _add = [.. config.Add.Select(Bytes)];

        internal void Apply(HeaderFields fields)
        {
            foreach (byte[] name in _remove) fields.Remove(name);
            foreach ((byte[] name, byte[] value) in _set) fields.Set(name, value);
            foreach ((byte[] name, byte[] value) in _add) fields.Append(name, value);
        }

        private static (byte[] Name, byte[] Value) Bytes(KeyValuePair<string, string> field) => (Encoding.ASCII.GetBytes(field.Key), Encoding.ASCII.GetBytes(field.Value));
    }
}
