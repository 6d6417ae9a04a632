import { Building2 } from 'lucide-react';
import { Card, Page } from '@/ui/page';
import { NamespaceList } from './namespace-select';

/** What a platform key sees first: it acts for any namespace, and must say for which. */
export function ChooseNamespace() {
  return (
    <Page
      title="Choose a namespace"
      icon={Building2}
      subtitle="Your key acts for any namespace. Choose one, or type the name of a new one: it begins with its first use."
    >
      <Card className="max-w-md">
        <NamespaceList />
      </Card>
    </Page>
  );
}
