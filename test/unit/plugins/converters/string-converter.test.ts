import { describe, expect, it } from 'vitest';
import { RecordError } from '../../../../core/errors.ts';
import type { Converter } from '../../../../plugins/api/converter.ts';
import { stringConverter } from '../../../../plugins/converters/string-converter.ts';
import { type ConverterVector, comparableDatum, converterVectors, datumOf } from '../../../support/connect-form.ts';
import { bytesOf } from '../../../support/log-records.ts';

const { aliases, config: Config } = stringConverter;

describe('stringConverter', () => {
  describe('golden vectors', () => {
    for (const vector of converterVectors().filter((candidate) => aliases.includes(candidate.class))) {
      it(vector.id, () => {
        expect(answer(vector)).toStrictEqual(wanted(vector));
      });
    }
  });

  it('passes null through both ways', () => {
    expect(aConverter().toConnect('t', null, [])).toMatchObject({ schema: { type: 'string', optional: true }, value: null });
    expect(aConverter().fromConnect('t', { type: 'string', optional: true }, null)).toBeNull();
  });

  it('keeps a byte order mark', () => {
    expect(aConverter().toConnect('t', bytesOf('\ufeffa'), []).value).toBe('\ufeffa');
  });

  it('refuses what has no text (I8)', () => {
    expect(() => aConverter().fromConnect('t', null, '\ud800')).toThrow(RecordError);
    expect(() => aConverter().fromConnect('t', { type: 'bytes', optional: false }, bytesOf('a'))).toThrow(RecordError);
  });

  it.each(['utf-8', 'UTF8', 'Utf-8'])('knows the encoding %s', (encoding) => {
    expect(Config.safeParse({ 'converter.encoding': encoding }).success).toBe(true);
  });

  it.each(['ISO-8859-1', 'utf-16', ''])('knows no encoding %j', (encoding) => {
    expect(Config.safeParse({ 'converter.encoding': encoding }).success).toBe(false);
  });
});

function answer(vector: ConverterVector): unknown {
  const converter = aConverter(vector.config);
  if (vector.kind === 'toConnect') return comparableDatum(converter.toConnect('t', fromBase64(vector.inputBase64), []));
  const { schema, value } = datumOf(vector.input);
  return plain(converter.fromConnect('t', schema, value));
}

function wanted(vector: ConverterVector): unknown {
  return vector.kind === 'toConnect' ? vector.output && datumOf(vector.output) : fromBase64(vector.outputBase64);
}

function fromBase64(text: string | null | undefined): Uint8Array | null {
  return text == null ? null : Uint8Array.from(Buffer.from(text, 'base64'));
}

function plain(bytes: Uint8Array | null): Uint8Array | null {
  return bytes && Uint8Array.from(bytes);
}

function aConverter(config: Readonly<Record<string, string>> = {}): Converter {
  return stringConverter.create(Config.parse(config), 'value');
}
