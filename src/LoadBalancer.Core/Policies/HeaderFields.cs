using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Policies;

/// <summary>
/// Header fields that can be changed, in their order; names in any case. What is set is checked: no name or value can end a line. One thread at a time; the bytes are its own.
/// </summary>
public sealed class HeaderFields
{
    /// <summary>Most fields, and most bytes of all names and values.</summary>
    internal const int CountMax = 512, BytesMax = 96 * 1024;

    private Line[] _lines;
    private byte[] _bytes;
    private int _count, _length;
    private readonly bool _isFixed;

    private record struct Line(int NameStart, int NameLength, int ValueStart, int ValueLength);

    /// <summary>Makes an empty set.</summary>
    public HeaderFields()
    {
        _lines = new Line[16];
        _bytes = new byte[1024];
    }

    private HeaderFields(bool isFixed)
    {
        _lines = [];
        _bytes = [];
        _isFixed = isFixed;
    }

    /// <summary>No fields, which cannot be changed.</summary>
    public static HeaderFields Empty { get; } = new(isFixed: true);

    /// <summary>How many there are, each line by itself.</summary>
    public int Count => _count;

    /// <summary>Whether anything was changed since they were loaded.</summary>
    internal bool IsChanged { get; private set; }

    /// <summary>Room that all of them take as lines.</summary>
    internal int WrittenBytesMax => _length + 4 * _count;

    /// <summary>The name of a field, as it was sent or set. Valid until the next change.</summary>
    public ReadOnlySpan<byte> NameAt(int index) => _bytes.AsSpan(_lines[Checked(index)].NameStart, _lines[index].NameLength);

    /// <summary>The value of a field. Valid until the next change.</summary>
    public ReadOnlySpan<byte> ValueAt(int index) => _bytes.AsSpan(_lines[Checked(index)].ValueStart, _lines[index].ValueLength);

    /// <summary>Index of the first field of that name from an index on; -1 for none.</summary>
    public int IndexOf(ReadOnlySpan<byte> name, int from = 0)
    {
        for (int i = from; i < _count; i++)
        {
            ref Line line = ref _lines[i];
            if (line.NameLength == name.Length && Ascii.EqualsIgnoreCase(_bytes.AsSpan(line.NameStart, line.NameLength), name)) return i;
        }
        return -1;
    }

    /// <summary>The first value of a field. False when there is none.</summary>
    public bool TryGet(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        int index = IndexOf(name);
        value = index < 0 ? default : ValueAt(index);
        return index >= 0;
    }

    /// <summary>All values of a field as one, with ", " between them (RFC 9110 §5.2); null where there is none. Bytes that are no ASCII are taken as Latin-1.</summary>
    public string? Get(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        Span<byte> bytes = stackalloc byte[Math.Min(name.Length, 128)];
        if (name.Length > bytes.Length || !Encoding.ASCII.TryGetBytes(name, bytes, out int length)) return null;
        bytes = bytes[..length];
        int index = IndexOf(bytes);
        if (index < 0) return null;
        string value = Encoding.Latin1.GetString(ValueAt(index));
        while ((index = IndexOf(bytes, index + 1)) >= 0) value = $"{value}, {Encoding.Latin1.GetString(ValueAt(index))}";
        return value;
    }

    /// <summary>How many lines a field has.</summary>
    public int CountOf(ReadOnlySpan<byte> name)
    {
        int count = 0;
        for (int i = IndexOf(name); i >= 0; i = IndexOf(name, i + 1)) count++;
        return count;
    }

    /// <summary>Sets a field, in the place of all of that name.</summary>
    /// <exception cref="ArgumentException">The name is no token, the value has a control character, or there are too many fields; nothing has changed.</exception>
    public void Set(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Check(name, value);
        int index = IndexOf(name);
        if (index < 0)
        {
            Add(name, value);
            return;
        }
        int start = Reserve(value.Length);
        IsChanged = true;
        // Its name stays as it was written: in the same place, with a new value.
        RemoveFrom(name, index + 1);
        value.CopyTo(_bytes.AsSpan(start));
        _lines[index].ValueStart = start;
        _lines[index].ValueLength = value.Length;
    }

    /// <inheritdoc cref="Set(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public void Set(string name, string value) => Set(NameBytes(name), ValueBytes(value));

    /// <summary>Adds a line beside those of the same name.</summary>
    /// <exception cref="ArgumentException">The name is no token, the value has a control character, or there are too many fields; nothing has changed.</exception>
    public void Append(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Check(name, value);
        Add(name, value);
    }

    /// <inheritdoc cref="Append(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public void Append(string name, string value) => Append(NameBytes(name), ValueBytes(value));

    /// <summary>Takes all lines of a field out. False when there was none.</summary>
    public bool Remove(ReadOnlySpan<byte> name)
    {
        bool any = RemoveFrom(name, 0);
        IsChanged |= any;
        return any;
    }

    /// <inheritdoc cref="Remove(ReadOnlySpan{byte})"/>
    public bool Remove(string name) => HttpSyntax.IsToken(name) && Remove(NameBytes(name));

    /// <summary>Takes one line out.</summary>
    public void RemoveAt(int index)
    {
        _lines.AsSpan(Checked(index) + 1, _count - index - 1).CopyTo(_lines.AsSpan(index));
        _count--;
        IsChanged = true;
    }

    /// <summary>Forgets all of them.</summary>
    public void Clear()
    {
        IsChanged |= _count > 0;
        _count = _length = 0;
    }

    /// <summary>Whether bytes can be a field's value: no control characters but tabs, no space at either end.</summary>
    public static bool IsValue(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty) return true;
        if (value[0] is (byte)' ' or (byte)'\t' || value[^1] is (byte)' ' or (byte)'\t') return false;
        foreach (byte b in value) if (Syntax.IsControl(b)) return false;
        return true;
    }

    /// <summary>Begins anew with the end-to-end fields of a head.</summary>
    /// <param name="head">The head.</param>
    /// <param name="bytes">Where it stands.</param>
    /// <param name="leftOut">A bit for each <see cref="KnownField"/> that is left out, beside those of the connection.</param>
    internal void Load(MessageHead head, ReadOnlySpan<byte> bytes, uint leftOut)
    {
        _count = _length = 0;
        if (_bytes.Length < head.Length) _bytes = new byte[Math.Max(head.Length, 1024)];
        if (_lines.Length < head.FieldCount) _lines = new Line[Math.Max(head.FieldCount, 2 * _lines.Length)];
        // As a whole, so that one copy does it and the offsets stay.
        bytes[..head.Length].CopyTo(_bytes);
        _length = head.Length;
        for (int i = 0; i < head.FieldCount; i++)
        {
            ref FieldLine field = ref head.Fields[i];
            if (field.IsHopByHop || (leftOut & (1u << (int)field.Known)) != 0 || (FieldSection.HopByHop & (1u << (int)field.Known)) != 0) continue;
            _lines[_count++] = new Line(field.NameStart, field.NameLength, field.ValueStart, field.ValueLength);
        }
        IsChanged = false;
    }

    /// <summary>Adds a field that counts as loaded.</summary>
    internal void AddLoaded(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Add(name, value);
        IsChanged = false;
    }

    /// <summary>Writes them as lines. Returns the length.</summary>
    internal int Write(Span<byte> output)
    {
        var head = new Forwarding.HeadBuffer(output);
        for (int i = 0; i < _count; i++)
        {
            head.Append(NameAt(i));
            head.Append(": "u8);
            head.Append(ValueAt(i));
            head.Append("\r\n"u8);
        }
        return head.Length;
    }

    private bool RemoveFrom(ReadOnlySpan<byte> name, int from)
    {
        bool any = false;
        for (int i = IndexOf(name, from); i >= 0; i = IndexOf(name, i))
        {
            _lines.AsSpan(i + 1, _count - i - 1).CopyTo(_lines.AsSpan(i));
            _count--;
            any = true;
        }
        return any;
    }

    private void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (_count == CountMax) throw new ArgumentException($"a message has at most {CountMax} fields");
        if (_count == _lines.Length) Array.Resize(ref _lines, 2 * _count);
        int start = Reserve(name.Length + value.Length);
        name.CopyTo(_bytes.AsSpan(start));
        value.CopyTo(_bytes.AsSpan(start + name.Length));
        _lines[_count++] = new Line(start, name.Length, start + name.Length, value.Length);
        IsChanged = true;
    }

    private int Reserve(int length)
    {
        int start = _length;
        if (start + length > BytesMax) throw new ArgumentException($"the fields of a message have at most {BytesMax} bytes");
        if (start + length > _bytes.Length) Array.Resize(ref _bytes, Math.Max(start + length, 2 * _bytes.Length));
        _length += length;
        return start;
    }

    private int Checked(int index) => (uint)index < (uint)_count ? index : throw new ArgumentOutOfRangeException(nameof(index));

    private void Check(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (_isFixed) throw new InvalidOperationException("these fields are fixed");
        if (!Syntax.IsToken(name)) throw new ArgumentException("a field's name has letters, digits and \"-\"", nameof(name));
        if (!IsValue(value)) throw new ArgumentException("a field's value has no control characters, and no space at its ends", nameof(value));
        if (IsConnections(name)) throw new ArgumentException($"the field {Encoding.ASCII.GetString(name)} is the balancer's own", nameof(name));
    }

    /// <summary>What says how a message is framed, and what concerns one connection alone: nobody sets it.</summary>
    internal static bool IsConnections(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 => Syntax.EqualsLower(name, "te"u8),
        6 => Syntax.EqualsLower(name, "expect"u8),
        7 => Syntax.EqualsLower(name, "trailer"u8) || Syntax.EqualsLower(name, "upgrade"u8),
        10 => Syntax.EqualsLower(name, "connection"u8) || Syntax.EqualsLower(name, "keep-alive"u8),
        14 => Syntax.EqualsLower(name, "content-length"u8),
        16 => Syntax.EqualsLower(name, "proxy-connection"u8),
        17 => Syntax.EqualsLower(name, "transfer-encoding"u8),
        _ => false,
    };

    private static byte[] NameBytes(string name) =>
        HttpSyntax.IsToken(name) ? Encoding.ASCII.GetBytes(name) : throw new ArgumentException($"{CharacterText.Quote(name)} is no header name; expected letters, digits and \"-\"", nameof(name));

    // As it is read: bytes that are no ASCII stand for themselves (as in Fetch's byte strings).
    private static byte[] ValueBytes(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        foreach (char c in value) if (c > '\xFF') throw new ArgumentException($"a field's value has {CharacterText.Name(c)}; encode it, or give its UTF-8 bytes", nameof(value));
        return Encoding.Latin1.GetBytes(value);
    }
}
