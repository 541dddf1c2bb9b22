using LoadBalancer.Core.Policies;
using LoadBalancer.Schemas.Requests;

namespace LoadBalancer.Gateway.Validation;

/// <summary>Header fields as validation asks for them: all lines of a name as one. Used by one thread for one message at a time.</summary>
internal sealed class FieldsView : IHeaderFields
{
    [ThreadStatic]
    private static FieldsView? t_view;

    private HeaderFields _fields = HeaderFields.Empty;
    private byte[] _joined = [];

    internal static FieldsView Of(HeaderFields fields)
    {
        FieldsView view = t_view ??= new FieldsView();
        view._fields = fields;
        return view;
    }

    public bool TryGet(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        int first = _fields.IndexOf(name);
        value = first < 0 ? default : _fields.ValueAt(first);
        if (first < 0) return false;
        int next = _fields.IndexOf(name, first + 1);
        if (next >= 0) value = Join(name, first);
        return true;
    }

    private ReadOnlySpan<byte> Join(ReadOnlySpan<byte> name, int first)
    {
        // RFC 9110 §5.3; of Cookie RFC 9113 §8.2.3.
        ReadOnlySpan<byte> separator = name.SequenceEqual("cookie"u8) ? "; "u8 : ", "u8;
        int length = 0;
        for (int i = first; i >= 0; i = _fields.IndexOf(name, i + 1))
        {
            ReadOnlySpan<byte> line = _fields.ValueAt(i);
            int needed = length + separator.Length + line.Length;
            if (_joined.Length < needed) Array.Resize(ref _joined, Math.Max(needed, _joined.Length * 2));
            if (length > 0)
            {
                separator.CopyTo(_joined.AsSpan(length));
                length += separator.Length;
            }
            line.CopyTo(_joined.AsSpan(length));
            length += line.Length;
        }
        return _joined.AsSpan(0, length);
    }
}
