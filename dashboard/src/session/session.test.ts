import { expect, test, vi } from 'vitest';

vi.stubGlobal('window', { parent: null, addEventListener: () => {} });
vi.stubGlobal('CSSStyleSheet', function () {});
const { returnAddressOf } = await import('./return-address');
const { textOn } = await import('./accent');

test('a portal link leads back to pages alone, and out of the frame that it stands in', () => {
  expect(returnAddressOf('https://exosphere.example.com/a?b#c')).toEqual({
    href: 'https://exosphere.example.com/a?b#c',
    host: 'exosphere.example.com',
    target: '_top',
  });
  for (const url of ['javascript:alert(1)', 'data:text/html,x', 'file:///etc', '/x', '', null]) {
    expect(returnAddressOf(url)).toBeNull();
  }
});

test('text on an accent is the one of two that reads better', () => {
  expect(textOn('#87ceeb')).toBe('#031035');
  expect(textOn('#ffffff')).toBe('#031035');
  expect(textOn('#dc2626')).toBe('#ffffff');
  expect(textOn('#000000')).toBe('#ffffff');
});
