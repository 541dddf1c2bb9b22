namespace LoadBalancer.Translation.Messages;

/// <summary>Header fields of a message, as rules see them. Names are compared without case.</summary>
public interface IMessageFields
{
    /// <summary>Adds the values of all lines with that name, in order.</summary>
    void Read(string name, List<string> values);

    /// <summary>Takes all lines with that name out.</summary>
    void Remove(string name);

    /// <summary>Adds a line. The value is one that was read, or comes from a map.</summary>
    void Append(string name, string value);
}
